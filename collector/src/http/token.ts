import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Secret } from '@highwater/config/secrets.ts';
import { isLoopback } from './access.ts';

function readToken(path: string): Secret | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text.length < 16)
      throw new Error(`${path} holds no token of 16 characters or more; delete it to get a new one`);
    return new Secret(text);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The token that writes need: the one given, else the file's, else (on loopback alone) a new one of 256 bits,
 * readable by this user only. Throws when bound wider without one: nobody would know it.
 */
export function loadOrMakeToken(path: string, host: string, given?: Secret): Secret {
  const token = given ?? readToken(path);
  if (token !== undefined) return token;
  if (!isLoopback(host)) {
    throw new Error(
      `bound to ${host} the collector needs a token: set HIGHWATER_TOKEN or HIGHWATER_TOKEN_FILE, or put one into ${path}`,
    );
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const text = randomBytes(32).toString('hex');
  writeFileSync(path, `${text}\n`, { mode: 0o600, flag: 'wx' });
  return new Secret(text);
}
