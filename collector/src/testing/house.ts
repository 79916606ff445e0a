/** A collector in this process, on a free port, with the calls that tests make. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@highwater/config/model.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { ConfigApplied } from '@highwater/config/wire.ts';
import { pino } from 'pino';
import { type CollectorOptions, startCollector } from '../main.ts';
import type { ConfigSource } from '../reload/apply.ts';

export interface House {
  readonly url: string;
  readonly dataDir: string;
  readonly token: string;
  post(path: string, body: string, type?: string, headers?: Record<string, string>): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  json<T>(path: string): Promise<T>;
  /** What SIGHUP does; there with a source. */
  readonly reload?: () => Promise<ConfigApplied>;
  stop(): Promise<void>;
}

export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'highwater-collector-'));
}

export function dropDataDir(dataDir: string): void {
  rmSync(dataDir, { recursive: true, force: true });
}

/**
 * Texts of configurations as tests have them: JSON of a Config, `bad…` for one with mistakes. `file` is what the
 * configuration file holds.
 */
export function jsonSource(file: { text: string }): ConfigSource {
  return {
    file: '/etc/highwater/test.yaml',
    read: (text) =>
      text.startsWith('bad')
        ? { problems: ['x.yaml:1:1 (file): bad: not good', 'x.yaml:2:1 (file): bad: not good either'] }
        : { config: JSON.parse(text) as Config },
    text: () => file.text,
    keep(text) {
      const before = file.text;
      file.text = text;
      return () => void (file.text = before);
    },
  };
}

export async function openHouse(
  config: Config,
  dataDir: string,
  clock?: Clock,
  source?: ConfigSource,
  more: Pick<CollectorOptions, 'reportJobs'> = {},
): Promise<House> {
  const ending = new AbortController();
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const running = await startCollector(
    {
      config,
      dataDir,
      host: '127.0.0.1',
      port: 0,
      log,
      ...(clock && { clock }),
      ...(source && { source }),
      ...more,
    },
    ending.signal,
  );
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${running.url}${path}`, { headers });
  return {
    url: running.url,
    dataDir,
    token: readFileSync(join(dataDir, 'token'), 'utf8').trim(),
    get,
    post: (path, body, type = 'text/plain', headers = {}) =>
      fetch(`${running.url}${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': type, ...headers },
      }),
    async json<T>(path: string): Promise<T> {
      const response = await get(path);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
    ...(running.reload === undefined ? {} : { reload: running.reload }),
    async stop() {
      ending.abort();
      await running.stopped;
    },
  };
}

/** Looks until something is so; fails with the last reason after the deadline. */
export async function eventually<T>(
  look: () => Promise<T | undefined | false>,
  deadlineMs = 10_000,
): Promise<T> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) throw new Error('it did not become so in time');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
