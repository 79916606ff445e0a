/**
 * The collector's disk is full: its data alone lies on a file system of 32 MB. Probes are told to come again (507), page,
 * alerts and reads go on, and within 10 s of there being room again everything is taken; nothing that was acknowledged
 * or seen is lost.
 *
 *   npm run test:long -- full-disk        needs root, for the mount
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { player } from '../../collector/src/testing/player.ts';
import { highwater, startRole, until } from '../e2e/process.ts';
import { frameNotes, heldLines } from './committed.ts';
import { readRecords } from './tally.ts';
import { startTarget } from './target.ts';

const sizeMb = 32;
/** How long the disk stays full. */
const fullMs = 20_000;
const recoveryLimitMs = 10_000;

/** Writes until there is no room for another byte. */
function fill(file: string): void {
  const handle = openSync(file, 'a');
  try {
    for (let size = 1_048_576; size >= 1;) {
      try {
        writeSync(handle, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(handle);
  }
}

async function statusOf(url: string, init: RequestInit = {}): Promise<number> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
  await answer.arrayBuffer();
  return answer.status;
}

/** Monitor and due time of all lines whose bodies are kept. */
const committedLines = async (data: string): Promise<Set<string>> =>
  new Set(
    (await heldLines(join(data, 'collector', 'store.db'))).map((line) =>
      line.split(' ').slice(0, 2).join(' '),
    ),
  );

it('a full disk stops the collector from keeping, and nothing else; what is missed is made up for', async () => {
  if (process.getuid?.() !== 0) {
    if (process.env['CI']) throw new Error('full-disk: needs root for its file system of 32 MB');
    console.log('full-disk: skipped, needs root for its file system of 32 MB');
    return;
  }
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-full-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const data = join(dir, 'data');
  mkdirSync(data);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'highwater-full', data]);
  stack.defer(() => void execFileSync('umount', ['-l', data]));

  const target = stack.use(await startTarget());
  const made = await highwater(['probe', 'keygen', '--id', 'eu-1', '--data', join(dir, 'probe')]);
  const played = generateSigningKey('us-1');
  const config = join(dir, 'highwater.yaml');
  writeFileSync(
    config,
    `site: { name: Full, url: "http://status.test.invalid" }
regions: [ { id: eu, name: Europe }, { id: us, name: America } ]
probes:
  - { id: eu-1, region: eu, key: "${made.stdout.trimEnd().split('\n').at(-1)}" }
  - { id: us-1, region: us, key: "${played.vkey}" }
services:
  - id: web
    name: Web
    nodes: [ { id: main, zone: z, url: "${target.url}", allowPrivate: true } ]
    checks: [ { kind: http, every: 1s, timeout: 500ms } ]
`,
  );
  const shared = ['--config', config, '--port', '0'];
  const collector = stack.use(await startRole(['collector', ...shared, '--data', data]));
  const follow = [...shared, '--collector', collector.url];
  const page = stack.use(await startRole(['site', ...follow, '--data', join(dir, 'site')]));
  const alerts = stack.use(await startRole(['alerts', ...follow, '--data', join(dir, 'alerts')]));
  const record = join(dir, 'record.jsonl');
  const probe = stack.use(
    await startRole([
      ...['probe', '--id', 'eu-1', '--data', join(dir, 'probe'), '--collector', collector.url],
      ...['--allow-private', '127.0.0.0/8', '--port', '0', '--record', record],
    ]),
  );
  await until('the page shows what the probe sees', 60_000, async () =>
    (await (await fetch(`${page.url}/api/v2/status.json`)).text()).includes('Full'),
  );
  const frames = (): number => {
    const db = new Database(join(data, 'collector', 'store.db'), { readonly: true });
    try {
      return Number(db.prepare('SELECT count(*) FROM frames').pluck().get());
    } finally {
      db.close();
    }
  };
  await until('frames are kept', 30_000, () => frames() > 5);

  // A second probe, played here, so that its answers are seen as they are.
  const us = player('status.test.invalid/log', played);
  const acknowledged: string[] = [];
  let waiting: string | undefined;
  let due = Date.now();
  const send = async (): Promise<number> => {
    due += 1;
    waiting ??= us.frame([`web/main/http ${due} ok 10 -`]);
    const headers = { 'content-type': 'text/plain' };
    const status = await statusOf(`${collector.url}/v1/frames`, { method: 'POST', headers, body: waiting });
    if (status === 200) {
      acknowledged.push(waiting);
      waiting = undefined;
    }
    return status;
  };
  expect(await send()).toBe(200);

  const ballast = join(data, 'ballast');
  fill(ballast);
  await until('507 for what can not be kept', 60_000, async () => {
    const status = await send();
    expect([200, 507]).toContain(status);
    // What little room a checkpoint of the store's file gives back is taken as well.
    if (status === 200) fill(ballast);
    return status === 507;
  });
  const fullUntil = performance.now() + fullMs;
  const answers = new Map<string, number>();
  await until('the disk was full for a while', fullMs + 30_000, async () => {
    fill(ballast);
    for (const [what, url] of [
      ['page', page.url],
      ['page log', `${page.url}/api/v2/summary.json`],
      ['alerts', `${alerts.url}/healthz`],
      ['collector', `${collector.url}/healthz`],
      ['snapshot', `${collector.url}/v1/snapshot`],
      ['status', `${collector.url}/v1/status`],
    ] as const) {
      const status = await statusOf(url);
      if (status !== 200) answers.set(what, status);
    }
    return performance.now() > fullUntil;
  });
  expect([...answers]).toEqual([]);
  expect(await send()).toBe(507);
  const before = frames();

  rmSync(ballast);
  const from = performance.now();
  await until('frames are taken again', recoveryLimitMs, async () => (await send()) === 200);
  await until('and the real probe is heard again', recoveryLimitMs, () => frames() > before + 2);
  const recoveredMs = performance.now() - from;
  expect(recoveredMs).toBeLessThan(recoveryLimitMs);

  // All that the probe saw up to now, through the full disk, is committed once the minute's batch is in.
  const seenUntil = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const seen = (): string[] =>
    readRecords(record)
      .filter(({ dueAt }) => dueAt < seenUntil)
      .map(({ monitor, dueAt }) => `${monitor} ${dueAt}`);
  await until('every minute is committed', 150_000, async () => {
    if (Date.now() < seenUntil + 5_000) return false;
    const committed = await committedLines(data);
    return seen().every((each) => committed.has(each));
  });
  expect(seen().length).toBeGreaterThan(fullMs / 1_000);
  const db = new Database(join(data, 'collector', 'store.db'), { readonly: true });
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  db.close();
  const kept = await frameNotes(join(data, 'collector', 'store.db'));
  expect(acknowledged.filter((note) => !kept.has(note))).toEqual([]);
  expect([collector, page, alerts, probe].map(({ child }) => child.exitCode)).toEqual([
    null,
    null,
    null,
    null,
  ]);
  console.log(
    `${acknowledged.length} frames acknowledged around a full disk; taken again ${Math.round(recoveredMs)} ms after there was room`,
  );
}, 420_000);
