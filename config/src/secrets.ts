import { readFileSync } from 'node:fs';

const hidden = '[redacted]';

/**
 * A value that must never be printed. Every way of turning it into text gives `[redacted]`;
 * only `reveal()` gives the value, so that a reader can find each use by that word.
 */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return hidden;
  }
  toJSON(): string {
    return hidden;
  }
  [Symbol.toPrimitive](): string {
    return hidden;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return hidden;
  }
}

/** `env:NAME` or `file:PATH`: where a secret is, never the secret. */
export type SecretRef = `env:${string}` | `file:${string}`;

export function isSecretRef(text: string): text is SecretRef {
  return /^env:[A-Za-z_][A-Za-z0-9_]*$/.test(text) || /^file:.+$/.test(text);
}

/**
 * Fetches the secret that a reference names.
 * Throws an Error whose message names the reference and the remedy, never the value.
 */
export function resolveSecret(ref: SecretRef, env: NodeJS.ProcessEnv = process.env): Secret {
  const name = ref.slice(ref.indexOf(':') + 1);
  if (ref.startsWith('env:')) {
    const value = env[name];
    if (value === undefined || value === '') {
      throw new Error(`${ref}: the environment variable ${name} is not set; set it, or use file:PATH`);
    }
    return new Secret(value);
  }
  try {
    const value = readFileSync(name, 'utf8').trim();
    if (value === '') throw new Error('the file is empty');
    return new Secret(value);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable or empty';
    throw new Error(`${ref}: cannot be read (${why}); create the file, readable by this user only`, {
      cause,
    });
  }
}
