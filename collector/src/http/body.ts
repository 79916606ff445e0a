import type { IncomingMessage } from 'node:http';
import { HttpError } from './reply.ts';

/** The largest body that is read, of any call (CONTRACTS "Answers"). */
export const maxBodyBytes = 1024 * 1024;

const tooLarge = (): HttpError =>
  new HttpError(413, `the body is larger than ${maxBodyBytes} bytes`, 'send it in parts');

/**
 * Reads a body up to the cap, as UTF-8.
 * Throws HttpError 413 past the cap, 415 when it is compressed, 400 when it is cut short or not UTF-8.
 */
export async function readBody(request: IncomingMessage): Promise<string> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new HttpError(415, `content-encoding ${encoding.slice(0, 40)} is not read`, 'send it uncompressed');
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge();
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    // Not destroyed when it is refused: the answer has to go out on its connection.
    for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > maxBodyBytes) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, 'the body was cut short', 'send it again');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch {
    throw new HttpError(400, 'the body is not UTF-8', 'send UTF-8');
  }
}

/** The media type of the body; throws HttpError 415 for one that is not among `accepted`. */
export function bodyType<T extends string>(request: IncomingMessage, accepted: readonly T[]): T {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  const known = accepted.find((each) => each === type);
  if (known === undefined) {
    throw new HttpError(
      415,
      `content-type ${type === undefined || type === '' ? 'none' : type.slice(0, 60)} is not read here`,
      `send ${accepted.join(' or ')}`,
    );
  }
  return known;
}
