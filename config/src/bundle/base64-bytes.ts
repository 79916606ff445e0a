/** Base64 from bytes to bytes: the same spelling alone as decodeBase64 takes, without a text in between. */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** 64 and more is no letter. */
const sextets = new Uint8Array(256).fill(255);
for (let i = 0; i < 64; i += 1) sextets[alphabet.charCodeAt(i)] = i;
const PAD = 61;

/**
 * Decodes `chars` letters, a multiple of 4 of which the last one alone is padding, into `chars / 4 * 3 - 1` bytes: SHA-256 and
 * signatures with their key ids are so long. False for any other text; what stands in `into` is then of no use.
 */
export function decodeInto(
  data: Uint8Array,
  from: number,
  chars: number,
  into: Uint8Array,
  place: number,
): boolean {
  const whole = from + chars - 4;
  let bad = 0;
  let at = place;
  let i = from;
  for (; i < whole; i += 4) {
    const a = sextets[data[i] ?? 0] ?? 255;
    const b = sextets[data[i + 1] ?? 0] ?? 255;
    const c = sextets[data[i + 2] ?? 0] ?? 255;
    const d = sextets[data[i + 3] ?? 0] ?? 255;
    bad |= a | b | c | d;
    into[at] = (a << 2) | (b >> 4);
    into[at + 1] = (b << 4) | (c >> 2);
    into[at + 2] = (c << 6) | d;
    at += 3;
  }
  const a = sextets[data[i] ?? 0] ?? 255;
  const b = sextets[data[i + 1] ?? 0] ?? 255;
  const c = sextets[data[i + 2] ?? 0] ?? 255;
  into[at] = (a << 2) | (b >> 4);
  into[at + 1] = (b << 4) | (c >> 2);
  return (bad | a | b | c) < 64 && (c & 3) === 0 && data[i + 3] === PAD;
}
