/**
 * One log, and another collector that would write it: in the same data folder, beside it from a copy, and in its place
 * from an older copy. None of them signs; each says why and what to do. The one that may goes on, and nothing is forked.
 *
 *   npm run test:long -- second-collector        about four minutes: probes close a batch a minute
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FeedPage, OperatorStatus } from '@highwater/config/wire.ts';
import { expect, it } from 'vitest';
import { closedPort } from '../../probe/testing/servers.ts';
import { getJson, highwater, startRole, until, type Process } from '../e2e/process.ts';
import { readPlainLog, yearsOf } from './plain-log.ts';
import { startTarget } from './target.ts';

type Log = NonNullable<OperatorStatus['log']>;
interface ProbeHealth {
  readonly log: { readonly size: number; readonly refused: { readonly because: string } | null };
}

const logOf = async ({ url }: Process): Promise<Log> => {
  const { log } = await getJson<OperatorStatus>(`${url}/v1/status`);
  if (log === undefined) throw new Error('the status has no log');
  return log;
};

it('nobody else signs the log: not from its folder, not beside it, not from an older copy', async () => {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-second-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const target = stack.use(await startTarget());
  const made = await highwater(['probe', 'keygen', '--id', 'eu-1', '--data', join(dir, 'probe')]);
  const pagePort = await closedPort();
  const config = join(dir, 'highwater.yaml');
  writeFileSync(
    config,
    `site: { name: Second, url: "http://127.0.0.1:${pagePort}" }
log: { origin: second.test.invalid/log }
regions: [ { id: eu, name: Europe } ]
probes: [ { id: eu-1, region: eu, key: "${made.stdout.trimEnd().split('\n').at(-1)}" } ]
services:
  - id: web
    name: Web
    nodes: [ { id: main, zone: z, url: "${target.url}", allowPrivate: true } ]
    checks: [ { kind: http, every: 5s, timeout: 2s } ]
`,
  );
  const data = join(dir, 'data');
  // What a copy has seen it remembers: one for each way.
  const [older, olderStill] = [join(dir, 'older'), join(dir, 'older-still')];
  const port = String(await closedPort());
  const collectorOf = (folder: string, at: string): Promise<Process> =>
    startRole(['collector', '--config', config, '--data', folder, '--port', at], {
      HIGHWATER_LOG_LEVEL: 'error',
    });
  let collector = await collectorOf(data, port);
  stack.defer(() => collector[Symbol.asyncDispose]());
  const startPage = (): Promise<Process> =>
    startRole([
      ...['site', '--config', config, '--data', join(dir, 'site'), '--port', String(pagePort)],
      ...['--collector', collector.url],
    ]);
  const page = await startPage();
  stack.defer(() => page[Symbol.asyncDispose]());
  const probe = stack.use(
    await startRole([
      ...['probe', '--id', 'eu-1', '--data', join(dir, 'probe'), '--collector', collector.url],
      ...['--allow-private', '127.0.0.0/8', '--port', '0'],
    ]),
  );
  const provenSize = async (): Promise<number> =>
    (await getJson<ProbeHealth>(`${probe.url}/healthz`)).log.size;
  const first = await until('the probe has a proof', 100_000, async () => (await provenSize()) || false);

  // In the same folder: it does not start.
  await expect(collectorOf(data, '0')).rejects.toThrow(
    /another collector is using .*; stop it, or give this one another --data/,
  );

  // A copy is taken of all of it, as a careless backup would; the log grows.
  await collector[Symbol.asyncDispose]();
  for (const copy of [older, olderStill]) cpSync(data, copy, { recursive: true });
  collector = await collectorOf(data, port);
  await until('the log has grown and the probe knows', 130_000, async () => (await provenSize()) > first);
  const grown = (await logOf(collector)).size;
  await until('and the page shows it', 20_000, async () => {
    const answer = await fetch(`${page.url}/log/${(await logOf(collector)).year}/checkpoint`);
    return Number((await answer.text()).split('\n')[1]) >= grown;
  });

  const refusesFrom = async (copy: Process, folder: string, evidence: RegExp): Promise<void> => {
    const before = (await logOf(copy)).size;
    const { refused } = await until('it refuses to sign', 20_000, async () => {
      const log = await logOf(copy);
      return log.refused !== undefined && { ...log, refused: log.refused };
    });
    expect(refused.because).toMatch(evidence);
    expect(refused.remedy).toMatch(/highwater restore DIR --published/);
    const shown = await highwater(['log', 'status', '--collector', copy.url, '--data', folder]);
    expect([shown.code, shown.stdout]).toEqual([1, expect.stringContaining(refused.because)]);
    expect(shown.stdout).toContain('NOTHING IS SIGNED');
    // A person is told, and it goes on with all else.
    const feed = await getJson<FeedPage>(`${copy.url}/v1/events?after=0`);
    expect(feed.events.map(({ type }) => type)).toContain('alarm.raised');
    expect((await fetch(`${copy.url}/v1/snapshot`)).status).toBe(200);
    expect((await logOf(copy)).size).toBe(before);
  };

  // Beside it: the public page shows what the copy never signed.
  {
    await using beside = await collectorOf(older, '0');
    await refusesFrom(beside, older, /the page http/);
  }
  // In its place, with the page gone: the probe shows it.
  await page[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
  {
    await using instead = await collectorOf(olderStill, port);
    await refusesFrom(instead, olderStill, /probe eu-1/);
    // What the probe sends is still taken.
    const before = await getJson<OperatorStatus>(`${instead.url}/v1/status`);
    await until('frames are taken', 20_000, async () => {
      const now = await getJson<OperatorStatus>(`${instead.url}/v1/status`);
      return (now.probes[0]?.lastHeardAt ?? 0) > (before.probes[0]?.lastHeardAt ?? 0);
    });
  }
  // The one that may goes on.
  collector = await collectorOf(data, port);
  await until('the right one signs and proves again', 150_000, async () => (await provenSize()) > grown);
  expect((await logOf(collector)).refused).toBeUndefined();
  await collector[Symbol.asyncDispose]();
  for (const year of yearsOf(data)) expect(readPlainLog(data, year).size).toBeGreaterThan(0);
  const right = yearsOf(data).map((year) => readPlainLog(data, year));
  // Whatever the copies hold is a prefix: they signed nothing of their own.
  for (const copy of [older, olderStill]) {
    for (const [i, each] of yearsOf(copy)
      .map((year) => readPlainLog(copy, year))
      .entries()) {
      expect(right[i]?.leaves.slice(0, each.size)).toEqual(each.leaves);
      expect(each.signed.every((root) => right[i]?.signed.includes(root))).toBe(true);
    }
  }
}, 900_000);
