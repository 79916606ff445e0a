import type { IncomingMessage } from 'node:http';
import { HttpError } from './reply.ts';

/** The largest body that is read, of any call (CONTRACTS "Answers"). */
export const maxBodyBytes = 1024 * 1024;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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
  const bytes = await bytesOf(request);
  try {
    return strict.decode(bytes);
  } catch {
    throw new HttpError(400, 'the body is not UTF-8', 'send UTF-8');
  }
}

/** The bytes of a body up to the cap. It is not destroyed when it is refused: the answer goes out on its connection. */
function bytesOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const end = (error?: HttpError): void => {
      request.off('data', take).off('end', whole).off('error', cut).off('close', cut);
      if (error === undefined) resolve(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts));
      else reject(error);
    };
    const take = (part: Buffer): void => {
      bytes += part.length;
      parts.push(part);
      if (bytes > maxBodyBytes) end(tooLarge());
    };
    const whole = (): void => end();
    const cut = (): void => end(new HttpError(400, 'the body was cut short', 'send it again'));
    if (request.destroyed) cut();
    else request.on('data', take).on('end', whole).on('error', cut).on('close', cut);
  });
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
