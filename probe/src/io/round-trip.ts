/** One request and its answer on a client, within the caps. */
import type { Client, Dispatcher } from 'undici';
import { defaultMaxBytes, FaultError, type ExchangeRequest } from '@highwater/config/kinds.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Ending } from '../deadline.ts';
import { faultError, faultOf } from '../fault.ts';
import { abortError } from './outside.ts';
import type { Stopwatch } from './stopwatch.ts';

export { defaultMaxBytes };
/** Headers of one answer, beside the cap on their bytes; servers with the most send about fifty. */
export const maxHeaders = 200;
/** Answers of 1xx, which announce another one. */
const maxEarly = 20;

export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly bytes: number;
  readonly certExpiresAt?: Instant;
}

/** Sends and reads to the end. Rejects with a FaultError, or with the signal's reason when the program ends. */
export function roundTrip(
  client: Client,
  url: URL,
  request: ExchangeRequest,
  headers: Readonly<Record<string, string>>,
  watch: Stopwatch,
  signal: Ending,
): Promise<Received> {
  const maxBytes = request.maxBytes ?? defaultMaxBytes;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    let early = 0;
    let answered: Readonly<Record<string, string>> = {};
    const settle = (act: () => void) => {
      signal.removeEventListener('abort', aborted);
      act();
    };
    const failed = (thrown: unknown) =>
      settle(() =>
        reject(thrown instanceof FaultError ? thrown : new FaultError(faultOf(thrown, watch.running))),
      );
    const aborted = () => settle(() => reject(abortError(signal, watch.running)));
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    const handler: Dispatcher.DispatchHandler = {
      // undici asks for each of these to be there.
      onRequestStart: () => undefined,
      onResponseStart(controller, code, received) {
        if (code < 200) {
          early += 1;
          if (early > maxEarly)
            controller.abort(faultError('target.http.protocol', `over ${maxEarly} answers of 1xx`));
          return;
        }
        watch.start('transfer');
        status = code;
        const heads = flat(received);
        answered = heads ?? {};
        const unwanted = heads ? unacceptable(heads, maxBytes, request.method) : tooMany();
        if (unwanted) controller.abort(unwanted);
      },
      onResponseData(controller, chunk) {
        bytes += chunk.length;
        if (bytes > maxBytes) return controller.abort(tooLarge(maxBytes));
        chunks.push(chunk);
      },
      onResponseEnd() {
        watch.start('transfer');
        settle(() =>
          resolve({ status, headers: answered, body: Buffer.concat(chunks).toString('utf8'), bytes }),
        );
      },
      onResponseError(_, thrown) {
        failed(thrown);
      },
    };
    try {
      client.dispatch(
        {
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: request.method,
          headers,
          body: request.body ?? null,
        },
        handler,
      );
    } catch (thrown) {
      failed(thrown);
    }
  });
}

function unacceptable(
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
  method: string,
): FaultError | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') return faultError('target.http.encoding', encoding);
  const transfer = headers['transfer-encoding']?.trim().toLowerCase() ?? '';
  if (transfer !== '' && transfer !== 'chunked' && transfer !== 'identity')
    return faultError('target.http.encoding', `transfer-encoding: ${transfer}`);
  const announced = method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0);
  return announced > maxBytes ? tooLarge(maxBytes) : undefined;
}

function tooLarge(maxBytes: number): FaultError {
  return faultError('target.http.too-large', `more than ${maxBytes} bytes`);
}

function tooMany(): FaultError {
  return faultError('target.http.headers', `more than ${maxHeaders} of them`);
}

/** Undefined when there are too many. */
function flat(headers: NodeJS.Dict<string | string[]>): Record<string, string> | undefined {
  const out: Record<string, string> = {};
  let left = maxHeaders;
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    left -= Array.isArray(value) ? value.length : 1;
    if (left < 0) return undefined;
    out[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return out;
}
