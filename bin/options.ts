/** Flags and their environment variables, in one place: a flag wins, then the variable, then the default. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Exit, exitCode } from './exit.ts';

/** The folder of this program. */
export const programRoot = fileURLToPath(new URL('..', import.meta.url));

/** A file as the caller named it: npm changes into the program's folder and leaves the caller's in INIT_CWD. */
export function callersFile(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
}

/** `--config FILE`, HIGHWATER_CONFIG, or the default config of this program. */
export function configFile(flag?: string): string {
  const given = flag ?? set('HIGHWATER_CONFIG');
  return given === undefined ? join(programRoot, 'config', 'highwater.yaml') : callersFile(given);
}

/** `--data DIR`, HIGHWATER_DATA, or `data` in the folder of this program. */
export function dataDir(flag?: string): string {
  const given = flag ?? set('HIGHWATER_DATA');
  return given === undefined ? join(programRoot, 'data') : callersFile(given);
}

/** The listeners of CONTRACTS, by role. */
export const usualPorts = {
  site: 3000,
  operator: 3001,
  collector: 4000,
  health: 4001,
  alerts: 4100,
  probe: 4200,
} as const;

/** `--port PORT`, HIGHWATER_ROLE_PORT, or the usual one; 0 is any free one. */
export function portOf(role: keyof typeof usualPorts, flag?: string): number {
  const variable = `HIGHWATER_${role.toUpperCase()}_PORT`;
  const given = flag ?? set(variable);
  if (given === undefined) return usualPorts[role];
  const port = Number(given);
  if (/^[0-9]{1,5}$/.test(given) && port <= 65_535) return port;
  const name = flag === undefined ? variable : '--port';
  throw new Exit(
    exitCode.usage,
    `highwater: ${name} ${given}: not a port, write 0 to 65535 (0 is any free one)`,
  );
}

/** `--bind ADDRESS`, HIGHWATER_BIND, or loopback. */
export function bindAddress(flag?: string): string {
  return flag ?? set('HIGHWATER_BIND') ?? '127.0.0.1';
}

/**
 * `--collector URL`, HIGHWATER_COLLECTOR, or the collector on this machine. Plain http to another machine needs
 * `insecure`: what is read there decides what people believe. Throws Exit.
 */
export function collectorUrl(flag?: string, insecure = false): string {
  const given = flag ?? set('HIGHWATER_COLLECTOR') ?? `http://127.0.0.1:${usualPorts.collector}`;
  const name = flag === undefined ? 'HIGHWATER_COLLECTOR' : '--collector';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Exit(
      exitCode.usage,
      `highwater: ${name}: not an http or https URL, write one such as https://hw.example.com`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new Exit(
      exitCode.usage,
      `highwater: ${name}: has a password in it, write the token into HIGHWATER_TOKEN`,
    );
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !insecure) {
    throw new Exit(
      exitCode.usage,
      `highwater: ${name} ${url.origin}: plain http to another machine, write https or add --insecure`,
    );
  }
  return given.replace(/\/+$/, '');
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** The collector's API token: HIGHWATER_TOKEN, HIGHWATER_TOKEN_FILE, or the one in the data folder. */
export function apiToken(data: string): string | undefined {
  return tokenOfEnvironment() ?? textOrNothing(readText(join(data, 'token')));
}

/** HIGHWATER_TOKEN or HIGHWATER_TOKEN_FILE. Throws Exit where the file cannot be read. */
export function tokenOfEnvironment(): string | undefined {
  const token = set('HIGHWATER_TOKEN');
  const file = set('HIGHWATER_TOKEN_FILE');
  if (token !== undefined || file === undefined) return token;
  const text = textOrNothing(readText(callersFile(file)));
  if (text !== undefined) return text;
  throw new Exit(exitCode.usage, `highwater: HIGHWATER_TOKEN_FILE ${file}: cannot be read, or is empty`);
}

function textOrNothing(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** An environment variable that is set and not empty. */
function set(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value === '' ? undefined : value;
}
