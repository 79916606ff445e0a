/** A file of a report as the collector sends it: passed on byte by byte, with the encoding that it has. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { CollectorAddress } from './ask.ts';

/** Until its headers are here. */
const DEADLINE_MS = 15_000;
/** Without a byte. */
const STALL_MS = 30_000;

/** What went wrong at the collector, not at the reader. */
export class SourceError extends Error {
  override name = 'SourceError';
}

/**
 * The answer to a GET, not decoded; undefined for 404. Rejects with SourceError when the collector is gone, does not answer
 * in time, or answers otherwise. The stream is destroyed with the signal.
 */
export function openSource(
  to: CollectorAddress,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage | undefined> {
  const url = new URL(path, to.collectorUrl);
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (says: string): void => reject(new SourceError(says));
    const late = setTimeout(() => sent.destroy(new Error('it did not answer in time')), DEADLINE_MS);
    const sent = request(url, {
      signal,
      headers: {
        'accept-encoding': 'gzip',
        ...(to.token === undefined ? {} : { authorization: `Bearer ${to.token}` }),
      },
    });
    sent.once('error', (error) => {
      clearTimeout(late);
      fail(error.message);
    });
    sent.once('response', (answer) => {
      clearTimeout(late);
      if (answer.statusCode === 200) {
        answer.setTimeout(STALL_MS, () => answer.destroy(new SourceError('it fell silent')));
        return resolve(answer);
      }
      answer.resume();
      sent.destroy();
      if (answer.statusCode === 404) resolve(undefined);
      else fail(`the collector answered ${answer.statusCode ?? 0} to GET ${path}`);
    });
    sent.end();
  });
}
