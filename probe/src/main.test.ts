import { mkdtempSync, readFileSync } from 'node:fs';
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
});
