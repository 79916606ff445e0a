/** What a plane holds of one minute, as one whole number: the slot's byte, and the requests that counted. */

const BYTE_SCALE = 128;
/** Requests of a subject in one minute are below this: 7 + 2 * 23 bits fit a double exactly. */
const COUNT_SCALE = 2 ** 23;
const MOST = COUNT_SCALE - 1;

export function symbolOf(byte: number, requests: number, failed: number): number {
  return (Math.min(failed, MOST) * COUNT_SCALE + Math.min(requests, MOST)) * BYTE_SCALE + byte;
}

export const byteOfSymbol = (symbol: number): number => symbol % BYTE_SCALE;
export const requestsOfSymbol = (symbol: number): number => Math.floor(symbol / BYTE_SCALE) % COUNT_SCALE;
export const failedOfSymbol = (symbol: number): number => Math.floor(symbol / BYTE_SCALE / COUNT_SCALE);
