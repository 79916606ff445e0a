/**
 * Secrets on a probe. The assignment names them, the probe decides: only `env:HIGHWATER_SECRET_NAME` and files
 * directly under its own data/secrets, and each only for the hosts that stand beside it on this machine:
 *
 *     HIGHWATER_SECRET_US=…           HIGHWATER_SECRET_US_HOST=rpc.example.com[,other.example.com]
 *     data/secrets/us                 data/secrets/us.host  (the same, one host a line or with commas)
 *
 * So neither a stolen operator key nor a mistake in the config can send a secret to another machine.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isSecretRef, Secret } from '@highwater/config/secrets.ts';
import type { AssignedMonitor } from '@highwater/config/wire.ts';
import { faultError } from './fault.ts';
import type { OpenTarget } from './io/outside.ts';

export interface SecretShelf {
  /** The secret behind a reference, for this host. Throws FaultError `probe.config.secret` with the remedy. */
  fetch(ref: string, host: string): Secret;
}

/** `dir` is the probe's data/secrets. */
export function secretShelf(dir: string, env: NodeJS.ProcessEnv = process.env): SecretShelf {
  return {
    fetch(ref, host) {
      const { value, hosts, remedy } = ref.startsWith('env:') ? fromEnv(ref, env) : fromFile(ref, dir);
      const allowed = hosts.split(/[\s,]+/).map((each) => each.toLowerCase());
      if (!allowed.includes(host.toLowerCase())) {
        throw faultError('probe.config.secret', `${ref} is not bound to ${host}; ${remedy}`);
      }
      return new Secret(value);
    },
  };
}

/** Puts the secrets in place of their references. Throws FaultError `probe.config.secret`. */
export function openTarget(target: AssignedMonitor['target'], shelf: SecretShelf): OpenTarget {
  if (!Object.values(target.headers).some(isSecretRef)) return target;
  const { hostname } = new URL(target.url);
  const headers = Object.entries(target.headers).map(([name, value]): [string, string | Secret] => [
    name,
    isSecretRef(value) ? shelf.fetch(value, hostname) : value,
  ]);
  return { ...target, headers: Object.fromEntries(headers) };
}

interface Found {
  readonly value: string;
  readonly hosts: string;
  readonly remedy: string;
}

function fromEnv(ref: string, env: NodeJS.ProcessEnv): Found {
  const name = ref.slice('env:'.length);
  if (!/^HIGHWATER_SECRET_[A-Z0-9_]+$/.test(name) || name.endsWith('_HOST')) {
    throw faultError('probe.config.secret', `${ref}: a probe gives out only HIGHWATER_SECRET_NAME`);
  }
  const value = env[name];
  if (value === undefined || value === '') {
    throw faultError('probe.config.secret', `${ref} is not set on this probe; set ${name} and ${name}_HOST`);
  }
  return {
    value,
    hosts: env[`${name}_HOST`] ?? '',
    remedy: `set ${name}_HOST to the host it may be sent to`,
  };
}

function fromFile(ref: string, dir: string): Found {
  const name = ref.slice('file:'.length).replace(/^(?:\.\/)?(?:data\/)?secrets\//, '');
  const path = resolve(dir, name);
  try {
    // Links must not lead out of the folder either.
    const real = realpathSync(path);
    if (dirname(real) !== realpathSync(dir) || real.endsWith('.host')) throw new Error('outside');
    const value = readFileSync(real, 'utf8').trim();
    if (value === '') throw new Error('empty');
    return {
      value,
      hosts: readIfThere(`${real}.host`),
      remedy: `write the host it may be sent to into secrets/${name}.host`,
    };
  } catch (thrown) {
    const why = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : (thrown as Error).message;
    throw faultError(
      'probe.config.secret',
      `${ref}: no readable file in ${join('data', 'secrets')} (${why})`,
    );
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
