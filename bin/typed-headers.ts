/** Headers that somebody types for one check: `NAME: VALUE`, where a secret is named and not written. */
import { isSecretHeader } from '@highwater/config/crosscheck-targets.ts';
import { isHeaderName } from '@highwater/config/fields.ts';
import { isSecretRef, resolveSecret, type Secret } from '@highwater/config/secrets.ts';
import { Exit, exitCode } from './exit.ts';
import { callersFile } from './options.ts';
import { plain } from './print.ts';

export interface TypedHeaders {
  /** As typed: a text, or where the secret is. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of those typed here and no others; throws for another. */
  readonly secrets: { fetch(ref: string): Secret };
}

/** @throws Exit that names the flag and the remedy, never a value */
export function typedHeaders(typed: readonly string[], env: NodeJS.ProcessEnv = process.env): TypedHeaders {
  const headers: Record<string, string> = {};
  const secrets = new Map<string, Secret>();
  for (const text of typed) {
    const [name, value] = pairOf(text);
    headers[name] = value;
    if (isSecretRef(value)) secrets.set(value, secretOf(name, value, env));
  }
  return {
    headers,
    secrets: {
      fetch(ref) {
        const secret = secrets.get(ref);
        if (!secret) throw new Error('a secret that was not typed');
        return secret;
      },
    },
  };
}

function pairOf(text: string): [name: string, value: string] {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon)).trim();
  const value = text.slice(colon + 1).trim();
  // What was typed is not shown: it may be the secret alone.
  if (!isHeaderName(name)) throw wrong("write NAME: VALUE, such as 'X-Token: env:MY_TOKEN'");
  if (!/^[\x20-\x7e]+$/.test(value)) throw wrong(`${plain(name)}: empty or not plain ASCII`);
  if (isSecretHeader(name) && !isSecretRef(value))
    throw wrong(
      `${plain(name)}: a secret would be seen by others on this machine; write ${plain(name)}: env:VARIABLE, or ${plain(name)}: file:PATH`,
    );
  return [name, value];
}

function secretOf(name: string, ref: string, env: NodeJS.ProcessEnv): Secret {
  const at = ref.startsWith('file:') ? `file:${callersFile(ref.slice('file:'.length))}` : ref;
  if (!isSecretRef(at)) throw wrong(`${plain(name)}: names neither a variable nor a file`);
  let secret: Secret;
  try {
    secret = resolveSecret(at, env);
  } catch (thrown) {
    throw wrong(`${plain(name)}: ${thrown instanceof Error ? thrown.message : 'cannot be read'}`);
  }
  if (!/^[\x20-\x7e]+$/.test(secret.reveal()))
    throw wrong(`${plain(name)}: what stands at ${plain(ref)} has a character that a header may not carry`);
  return secret;
}

function wrong(message: string): Exit {
  return new Exit(exitCode.usage, `highwater check: --header: ${message}`);
}
