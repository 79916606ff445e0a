/** How commands ask the collector: HTTP with the schemas of wire.ts, within a deadline and a size. */
import { Readable } from 'node:stream';
import type { z } from 'zod';
import {
  configApplied,
  configPlace,
  refused,
  type ConfigApplied,
  type ConfigPlace,
} from '@highwater/config/wire.ts';
import { Exit, exitCode } from './exit.ts';
import { apiToken, collectorUrl, dataDir } from './options.ts';
import { plain } from './print.ts';

const usualDeadlineMs = 10_000;
const maxBytes = 32 * 1024 * 1024;

export interface CollectorFlags {
  readonly collector?: string;
  readonly data?: string;
  readonly insecure?: boolean;
}

/**
 * GET, decoded. Throws Exit (3) where the collector is not reached, (2) where it has no such thing or answers with one of
 * `usage`, (1) where it refuses.
 */
export async function getFromCollector<S extends z.ZodType>(
  path: string,
  schema: S,
  flags: CollectorFlags,
  usage: readonly number[] = [404],
): Promise<z.output<S>> {
  return getJson(collectorUrl(flags.collector, flags.insecure), path, schema, {
    ...flags,
    what: 'collector',
    usage,
  });
}

interface GetOptions {
  readonly data?: string | undefined;
  readonly what: string;
  readonly usage?: readonly number[];
}

/** The same from another role. */
export async function getJson<S extends z.ZodType>(
  base: string,
  path: string,
  schema: S,
  { data, what, usage = [404] }: GetOptions,
): Promise<z.output<S>> {
  const limits = { deadlineMs: usualDeadlineMs, usage };
  const result = schema.safeParse(await ask(base, path, { method: 'GET' }, data, what, limits));
  if (result.success) return result.data;
  throw new Exit(
    exitCode.unavailable,
    `highwater: ${base} answers, but not as the ${what} of this version; is it another program or version?`,
  );
}

/** POST of JSON; the token is found in the data folder. `usage`: answers that are told of what was given (Exit 2). */
export async function postToCollector(
  path: string,
  body: unknown,
  flags: CollectorFlags,
  usage: readonly number[] = [404],
): Promise<unknown> {
  const base = collectorUrl(flags.collector, flags.insecure);
  const init = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  };
  return ask(base, path, init, flags.data, 'collector', { deadlineMs: usualDeadlineMs, usage });
}

/** For the whole of a large file. */
const downloadDeadlineMs = 3_600_000;

/** GET of a file as it comes. Throws Exit as `getFromCollector` does; what goes wrong later fails the stream. */
export async function downloadFromCollector(path: string, flags: CollectorFlags): Promise<Readable> {
  const base = collectorUrl(flags.collector, flags.insecure);
  const token = apiToken(dataDir(flags.data));
  const limits = { deadlineMs: downloadDeadlineMs, usage: [404] };
  const init = { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } };
  const signal = AbortSignal.timeout(downloadDeadlineMs);
  const answer = await fetch(`${base}${path}`, { ...init, redirect: 'error', signal }).catch(() => undefined);
  if (answer?.ok && answer.body !== null) return Readable.from(answer.body, { objectMode: false });
  await answer?.body?.cancel();
  // Asked once more by the way that says what is wrong.
  await ask(base, path, { method: 'GET' }, flags.data, 'collector', limits);
  throw new Exit(exitCode.unavailable, `highwater: ${base} did not give ${path}; try again`);
}

/** A collector may have much to read again before it can say that it runs another configuration. */
const applyDeadlineMs = 60_000;

/**
 * POST of a configuration; `name` is what messages call the file. Throws Exit (2) with every problem where it is not
 * taken, (3) where the collector is not reached.
 */
export async function applyToCollector(
  text: string,
  name: string,
  flags: CollectorFlags,
): Promise<ConfigApplied> {
  const init = { method: 'POST', body: text, headers: { 'content-type': 'text/yaml' } };
  return applied(`/v1/config?name=${encodeURIComponent(name)}`, init, flags);
}

/** Has the collector read the file that it runs again. Throws as `applyToCollector` does. */
export async function reloadCollector(flags: CollectorFlags): Promise<ConfigApplied> {
  return applied('/v1/config/reload', { method: 'POST' }, flags);
}

/** Which file a collector runs, and on which data folder; undefined where none answers that takes this folder's token. */
export async function configPlaceOf(flags: CollectorFlags): Promise<ConfigPlace | undefined> {
  collectorUrl(flags.collector, flags.insecure);
  try {
    return await getFromCollector('/v1/config', configPlace, flags);
  } catch (error) {
    if (error instanceof Exit) return undefined;
    throw error;
  }
}

async function applied(path: string, init: RequestInit, flags: CollectorFlags): Promise<ConfigApplied> {
  const base = collectorUrl(flags.collector, flags.insecure);
  const limits = { deadlineMs: applyDeadlineMs, usage: [400, 404, 413] };
  const result = configApplied.safeParse(await ask(base, path, init, flags.data, 'collector', limits));
  if (result.success) return result.data;
  throw new Exit(
    exitCode.unavailable,
    `highwater: ${base} answers, but not as the collector of this version; is it another program or version?`,
  );
}

interface AskLimits {
  readonly deadlineMs: number;
  /** Answers that are told of what was given, and not of the state of things. */
  readonly usage: readonly number[];
}

async function ask(
  base: string,
  path: string,
  init: RequestInit,
  data: string | undefined,
  what: string,
  { deadlineMs, usage }: AskLimits = { deadlineMs: usualDeadlineMs, usage: [404] },
): Promise<unknown> {
  const token = apiToken(dataDir(data));
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(`${base}${path}`, {
      ...init,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(deadlineMs),
    });
    text = await readBounded(answer);
  } catch (cause) {
    const flag = what === 'collector' ? '--collector' : '--alerts';
    throw new Exit(
      exitCode.unavailable,
      `highwater: no ${what} at ${base} (${reason(cause, deadlineMs)}); start it with highwater up, or name another with ${flag}`,
      { cause },
    );
  }
  const json = parseJson(text);
  if (answer.ok) return json;
  const said = refused.safeParse(json);
  const why = said.success
    ? `${said.data.error}${said.data.remedy ? `; ${said.data.remedy}` : ''}`
    : 'no reason given';
  // What was asked about is not there: the argument is wrong, not the state of things.
  const code = usage.includes(answer.status) && said.success ? exitCode.usage : exitCode.no;
  if (answer.status === 401 && what === 'collector' && said.success) {
    const remedy =
      'give --data DIR, the data folder of that collector, where its token is (or HIGHWATER_DATA, or HIGHWATER_TOKEN)';
    throw new Exit(exitCode.no, `highwater: ${base}: ${plain(said.data.error)}; ${remedy}`);
  }
  // A configuration may have many problems: a line each.
  const shown = why.split('\n').map(plain).join('\n');
  // What is wrong is said in words: the number tells more where there are none.
  const refusal = said.success && [404, 409].includes(answer.status) ? '' : ` refused (${answer.status})`;
  throw new Exit(code, `highwater: ${base}${refusal}: ${shown}`);
}

async function readBounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    if (bytes > maxBytes) throw new Error('the answer is larger than 32 MiB');
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function reason(cause: unknown, deadlineMs: number): string {
  if (!(cause instanceof Error)) return 'unreachable';
  if (cause.name === 'TimeoutError') return `no answer within ${deadlineMs / 1000} s`;
  const inner = cause.cause;
  return inner instanceof Error && 'code' in inner ? String(inner.code) : cause.message;
}
