import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadOrMakeSigningKey } from '@highwater/config/keys.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import type { AssignedMonitor } from '@highwater/config/wire.ts';
import { type TestCollector, testCollector } from '../testing/collector.ts';
import { type Served, serveHttp } from '../testing/servers.ts';
import { type ProbeOptions, startProbe } from './main.ts';

const log = pino({ level: 'silent' });

describe('a probe', () => {
  let dataDir: string;
  let collector: TestCollector;
  let target: Served;
  let ending: AbortController;
  let stopped: Promise<void>[];

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'highwater-probe-'));
    const { key } = loadOrMakeSigningKey(join(dataDir, 'keys', 'eu-1.key'), 'eu-1');
    collector = await testCollector(() => [key.vkey]);
    target = await serveHttp((_, response) => void response.end('ok'));
    ending = new AbortController();
    stopped = [];
  });
  afterEach(async () => {
    ending.abort();
    await Promise.all(stopped);
    await collector.close();
    await target[Symbol.asyncDispose]();
  });

  const start = async (more: Partial<ProbeOptions> = {}) => {
    const running = await startProbe(
      {
        id: 'eu-1',
        dataDir,
        collectorUrl: collector.url,
        allowPrivate: ['config'],
        host: '127.0.0.1',
        port: 0,
        log,
        ...more,
      },
      ending.signal,
    );
    stopped.push(running.stopped);
    return running;
  };

  const stop = async () => {
    ending.abort();
    await Promise.all(stopped);
    ending = new AbortController();
  };

  const monitor = (more: Partial<AssignedMonitor> = {}): AssignedMonitor => ({
    id: 'rpc/main/http',
    kind: 'http',
    intervalMs: 1_000,
    timeoutMs: 400,
    recheckAfterMs: 1_000,
    fall: 2,
    settings: {},
    target: { url: target.url, headers: {}, allowPrivate: true },
    ...more,
  });
  const assign = (...monitors: AssignedMonitor[]) =>
    collector.assign({ probe: 'eu-1', region: 'eu', monitors });

  it('does its assignment, and what it saw arrives signed, in frames', async () => {
    assign(monitor());
    const recordFile = join(dataDir, 'record.jsonl');
    await start({ recordFile });
    await collector.until(() => collector.lines().length >= 2);
    const [line] = collector.lines().map((each) => parseLine(each));
    expect(line).toMatchObject({
      monitor: 'rpc/main/http',
      outcome: 'ok',
      facts: { sc: '200' },
      recheck: false,
    });
    const recorded = readFileSync(recordFile, 'utf8')
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each) as object);
    expect(recorded[0]).toMatchObject({
      monitor: 'rpc/main/http',
      probe: 'eu-1',
      outcome: 'ok',
      fault: null,
    });
  });

  it('goes on after a restart without a collector, and sends what it saw when there is one again', async () => {
    assign(monitor());
    await start();
    await collector.until(() => collector.lines().length >= 1);
    await stop();
    const before = collector.lines().length;
    collector.answer = () => ({ status: 503, body: { error: 'away' } });
    const running = await start();
    const health = async () =>
      (await (await fetch(`${running.url}/healthz`)).json()) as Record<string, number>;
    let spooled = 0;
    await collector.until(() => {
      void health().then((said) => (spooled = said['spooledFrames'] ?? 0));
      return spooled >= 2;
    });
    collector.answer = () => undefined;
    await collector.until(() => collector.lines().length > before + 1);
    const numbers = [...collector.frames.values()].map(({ frame }) => `${frame.epoch}/${frame.frame}`);
    expect(new Set(numbers).size).toBe(numbers.length);
    const due = collector.lines().map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(new Set(due).size).toBe(due.length);
  }, 60_000);

  it('trusts the first operator it sees, and no other later', async () => {
    assign(monitor());
    await start();
    await collector.until(() => collector.lines().length >= 1);
    await stop();
    const kept = readFileSync(join(dataDir, 'probe', 'eu-1', 'operator.vkey'), 'utf8').trim();
    expect(kept).toBe(collector.operator.vkey);
    const { key } = loadOrMakeSigningKey(join(dataDir, 'keys', 'eu-1.key'), 'eu-1');
    const other = await testCollector(() => [key.vkey]);
    other.assign({ probe: 'eu-1', region: 'eu', number: 99, monitors: [] });
    const running = await start({ collectorUrl: other.url });
    await other.until(() => other.events.some((event) => event.startsWith('frame')));
    const said = (await (await fetch(`${running.url}/healthz`)).json()) as {
      assignment: number;
      monitors: number;
    };
    expect(said).toMatchObject({ assignment: 1, monitors: 1 });
    await stop();
    await other.close();
  }, 60_000);

  it('with --trust believes that key alone', async () => {
    const { key } = loadOrMakeSigningKey(join(dataDir, 'keys', 'someone.key'), 'someone');
    assign(monitor());
    let asked = 0;
    collector.answer = (kind) => {
      if (kind === 'assignment') asked += 1;
      return undefined;
    };
    const running = await start({ trust: key.vkey });
    await collector.until(() => asked >= 2);
    expect(await (await fetch(`${running.url}/healthz`)).json()).toMatchObject({
      assignment: null,
      monitors: 0,
    });
  });

  it('takes up a newer assignment at once, and never an older one', async () => {
    assign(monitor());
    const running = await start();
    const health = async () =>
      (await (await fetch(`${running.url}/healthz`)).json()) as { assignment: number };
    await collector.until(() => collector.lines().length >= 1);
    assign(monitor({ id: 'rpc/main/other' }));
    await collector.until(() => collector.lines().some((line) => line.startsWith('rpc/main/other ')));
    expect(await health()).toMatchObject({ assignment: 2 });
    collector.assign({ probe: 'eu-1', region: 'eu', number: 1, monitors: [monitor()] });
    const seen = collector.lines().length;
    await collector.until(() => collector.lines().length > seen + 1);
    expect(await health()).toMatchObject({ assignment: 2 });
    expect(collector.lines().at(-1)).toMatch(/^rpc\/main\/other /);
  });

  it('writes metrics that promtool accepts', async () => {
    assign(monitor());
    const running = await start();
    await collector.until(() => collector.lines().length >= 1);
    const text = await (await fetch(`${running.url}/metrics`)).text();
    expect(text).toContain('probe_success{service="rpc",node="main",check="http",region="eu"} 1');
    expect(text).toMatch(/^highwater_spool_batches \d/m);
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(checked.error).toBeUndefined();
    expect([checked.status, checked.stderr, checked.stdout]).toEqual([0, '', '']);
  });

  it('has no inbound API', async () => {
    const running = await start();
    expect((await fetch(running.url)).status).toBe(404);
    expect((await fetch(`${running.url}/healthz`, { method: 'POST' })).status).toBe(405);
  });

  it.each<[string, Partial<ProbeOptions>, RegExp]>([
    ['plain http across a network', { collectorUrl: 'http://192.0.2.1:4000' }, /--collector: .*--insecure/],
    ['an address that is none', { collectorUrl: 'collector' }, /^--collector: 'collector' is no address/],
    ['a key that is none', { trust: 'x' }, /^--trust: /],
    ['a network that is none', { allowPrivate: ['lan'] }, /^--allow-private: 'lan'/],
    ['an id without a key', { id: 'eu-2' }, /^--id: .*: highwater probe keygen --id eu-2$/],
    ['a record that cannot be written', { recordFile: '/nonexistent/x' }, /^--record: /],
  ])('refuses %s, naming the flag', async (_, more, message) => {
    await expect(start(more)).rejects.toThrow(message);
    // Nothing was left open: a second start is not in its way.
    await start();
  });

  it('refuses the key of another id, and makes none', async () => {
    const keys = join(dataDir, 'keys');
    renameSync(join(keys, 'eu-1.key'), join(keys, 'eu-2.key'));
    await expect(start({ id: 'eu-2' })).rejects.toThrow(/^--id: .* is named 'eu-1', not 'eu-2'/);
    await expect(start()).rejects.toThrow(/^--id: there is no key /);
    expect([readdirSync(keys), existsSync(join(dataDir, 'probe'))]).toEqual([['eu-2.key'], false]);
  });

  it('refuses a port in use and a folder in use', async () => {
    const running = await start();
    loadOrMakeSigningKey(join(dataDir, 'keys', 'us-1.key'), 'us-1');
    await expect(start({ id: 'us-1', port: Number(new URL(running.url).port) })).rejects.toThrow(
      /in use; choose another with --port/,
    );
    await expect(start()).rejects.toThrow(/in use by another probe process/);
  });
});
