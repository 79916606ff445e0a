import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadOrMakeSigningKey } from '@highwater/config/keys.ts';
import { testCollector } from '../testing/collector.ts';
import { serveHttp } from '../testing/servers.ts';

const program = join(import.meta.dirname, '../testing/probe-process.ts');

/**
 * Kills a probe again and again (hundreds of times in test:long), at other moments and right when a frame has arrived and is not yet
 * acknowledged. Afterwards each observation that it had written down beside the system is in exactly one text.
 */
it('a probe that is killed loses nothing that it saw and signs no number twice', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'highwater-kill-'));
  const recordFile = join(dataDir, 'record.jsonl');
  const { key } = loadOrMakeSigningKey(join(dataDir, 'keys', 'eu-1.key'), 'eu-1');
  const collector = await testCollector(() => [key.vkey]);
  await using target = await serveHttp((_, response) => void response.end('ok'));
  const monitors = ['a', 'b', 'c', 'd'].map((node) => ({
    id: `rpc/${node}/http`,
    kind: 'http',
    intervalMs: 1_000,
    timeoutMs: 400,
    recheckAfterMs: 1_000,
    fall: 2,
    settings: {},
    target: { url: target.url, headers: {}, allowPrivate: true },
  }));
  collector.assign({ probe: 'eu-1', region: 'eu', monitors });
  const texts = new Map<string, string>();
  let child: ChildProcess | undefined;
  let aimed = false;
  collector.answer = (kind, note) => {
    if (kind === 'assignment') return undefined;
    const [, , , epoch = '', number = ''] = note.split('\n');
    const name = `${kind} ${epoch} ${number}`;
    expect(texts.get(name) ?? note).toBe(note);
    texts.set(name, note);
    // Between the write and its acknowledgement.
    if (aimed) child?.kill('SIGKILL');
    return undefined;
  };
  let quickestMs = Infinity;
  for (let round = 0; round < 6; round += 1) {
    aimed = round % 2 === 0;
    child = spawn(process.execPath, [program, dataDir, collector.url, collector.operator.vkey, recordFile], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = new Promise((done) => child?.once('exit', done));
    const began = performance.now();
    await new Promise((ready) => child?.stdout?.once('data', ready));
    quickestMs = Math.min(quickestMs, performance.now() - began);
    if (!aimed) setTimeout(() => child?.kill('SIGKILL'), 300 + ((round * 331) % 1_200));
    await gone;
  }
  // What else runs on this machine is not the probe's time.
  expect(quickestMs).toBeLessThan(5_000);
  aimed = false;
  child = spawn(process.execPath, [program, dataDir, collector.url, collector.operator.vkey, recordFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // On a slow machine a life that is ended early saw little: the last one makes up for it.
  const enough = Math.max(collector.lines().length + 4, 13);
  await collector.until(() => collector.lines().length > enough);
  const ended = new Promise((done) => child?.once('exit', done));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const recorded = readFileSync(recordFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { monitor: string; dueAt: number })
    .map(({ monitor, dueAt }) => `${monitor} ${dueAt}`);
  const arrived = collector.lines().map((line) => line.split(' ').slice(0, 2).join(' '));
  expect(recorded.length).toBeGreaterThan(12);
  expect(arrived.length).toBe(new Set(arrived).size);
  // The record is written first: what the kill cut off between the two is at most the last of each life.
  const missing = recorded.filter((each) => !arrived.includes(each));
  expect(missing.length).toBeLessThanOrEqual(1);
  expect(arrived.filter((each) => !recorded.includes(each))).toEqual([]);
  await collector.close();
}, 90_000);
