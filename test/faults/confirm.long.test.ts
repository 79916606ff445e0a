import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '@highwater/config/keys.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import {
  type Assignment,
  type AssignmentBody,
  type OperatorStatus,
  type Why,
} from '@highwater/config/wire.ts';
import { serveHttp, type Served } from '../../probe/testing/servers.ts';
import { getJson, highwater, startRole, until, type Process } from '../e2e/process.ts';

const regions = ['eu', 'us', 'sg'] as const;
const intervalMs = 20_000;
/** Many, so that one is among them whose checks from the three regions are well apart. */
const nodes = Array.from({ length: 50 }, (_, i) => `n${i}`);
const monitorOf = (node: string): string => `web/${node}/http`;

/** 50 nodes, each a server of its own, asked by three regions' probes every 20 s. */
describe('the first failure that one region sees', () => {
  const stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const servers = new Map<string, Served>();
  /** Nodes that end each connection without an answer. */
  const broken = new Set<string>();
  let collector: Process;
  let startedAt: number;
  /** The node whose checks are furthest apart. */
  let node: string;
  let phases: readonly number[];

  const serve = (id: string): Promise<Served> =>
    serveHttp((request, answer) => void (broken.has(id) ? request.socket.destroy() : answer.end('ok')));
  const recordOf = (region: string): string => join(dir, `${region}.records`);
  afterAll(async () => {
    for (const server of servers.values()) await server[Symbol.asyncDispose]();
    await stack.disposeAsync();
  });

  beforeAll(async () => {
    for (const id of nodes) servers.set(id, await serve(id));
    const keys = new Map<string, string>();
    for (const region of regions) {
      const made = await highwater(['probe', 'keygen', '--id', `${region}-1`, '--data', join(dir, region)]);
      keys.set(region, made.stdout.trimEnd().split('\n').at(-1) ?? '');
    }
    const config = join(dir, 'highwater.yaml');
    writeFileSync(
      config,
      `site: { name: Test, url: "https://status.example.com" }
regions: [ { id: eu, name: Frankfurt }, { id: us, name: New York }, { id: sg, name: Singapore } ]
probes:
${regions.map((region) => `  - { id: ${region}-1, region: ${region}, key: "${keys.get(region)}" }`).join('\n')}
services:
  - id: web
    name: Web
    nodes:
${nodes.map((id) => `      - { id: ${id}, zone: ${id}, url: "${servers.get(id)?.url}", allowPrivate: true }`).join('\n')}
    checks: [ { kind: http, every: 20s, timeout: 2s } ]
`,
    );
    const data = join(dir, 'data');
    collector = stack.use(await startRole(['collector', '--config', config, '--data', data, '--port', '0']));
    startedAt = performance.now();
    for (const region of regions) {
      const id = `${region}-1`;
      const args = ['probe', '--id', id, '--data', join(dir, region), '--collector', collector.url];
      args.push('--allow-private', '127.0.0.0/8', '--port', '0', '--record', recordOf(region));
      stack.use(await startRole(args));
    }
    const file = join(dir, 'eu', 'probe', 'eu-1', 'assignment.json');
    const { seed } = await until('the first assignment', 20_000, () => {
      const { body } = JSON.parse(readFileSync(file, 'utf8')) as Assignment;
      return JSON.parse(body) as AssignmentBody;
    });
    const dues = nodes.map((id) => {
      const all = regions.map((region) => phaseMs(seed, monitorOf(id), `${region}-1`, intervalMs, sha256));
      return { id, all: all.sort((a, b) => a - b) };
    });
    const leastGap = ([a = 0, b = 0, c = 0]: readonly number[]): number =>
      Math.min(b - a, c - b, intervalMs - c + a);
    const [best] = dues.sort((a, b) => leastGap(b.all) - leastGap(a.all));
    node = best?.id ?? '';
    phases = best?.all ?? [];
    process.stdout.write(`seed ${seed}: checks of ${node} are ${leastGap(phases)} ms apart or more\n`);
    await until('every region sees every node', 60_000, async () => {
      const { monitors } = await getJson<OperatorStatus>(`${collector.url}/v1/status`);
      return monitors.every(({ votes }) => votes.every(({ status }) => status === 'up'));
    });
  }, 120_000);

  /** Waits until no check of the node is about to start or under way. */
  const quiet = (): Promise<boolean> =>
    until('no check of the node is near', intervalMs, () =>
      phases.every((phase) => {
        const leftMs = (intervalMs + phase - (Date.now() % intervalMs)) % intervalMs;
        return leftMs > 500 && leftMs < intervalMs - 1_000;
      }),
    );

  /** Waits for the verdict; gives the lines of that outcome behind it, by when they were due. */
  const verdict = async (status: 'up' | 'down', outcome: 'ok' | 'fail', since: number) => {
    const monitor = monitorOf(node);
    const found = await until(`${monitor} is ${status}`, 2 * intervalMs, async () => {
      const why = await getJson<Why>(`${collector.url}/v1/why?monitor=${monitor}`);
      return why.verdict.status === status && why;
    });
    const lines = found.lines.flatMap(({ probe, line, receivedAt }) => {
      const seen = parseLine(line);
      return 'error' in seen || seen.outcome !== outcome || seen.dueAt < since
        ? []
        : [{ probe, receivedAt, ...seen }];
    });
    lines.sort((a, b) => a.dueAt - b.dueAt);
    const receipts = lines.map(({ receivedAt }) => receivedAt);
    const tookMs = Math.max(...receipts) - Math.min(...receipts);
    process.stdout.write(`${status}: ${lines.length} answers within ${tookMs} ms\n`);
    return lines;
  };

  /** One scheduled check saw it; all that confirmed it were requests to look and rechecks, before any other was due. */
  const isConfirmed = (lines: Awaited<ReturnType<typeof verdict>>): void => {
    expect(lines.map(({ recheck }) => recheck)).toEqual([false, ...lines.slice(1).map(() => true)]);
    expect(new Set(lines.map(({ probe }) => probe)).size).toBeGreaterThanOrEqual(2);
  };

  it('is confirmed by the others before their own checks are due', async () => {
    await quiet();
    const since = Date.now();
    broken.add(node);
    isConfirmed(await verdict('down', 'fail', since));
  });

  it('and so is the first good answer', async () => {
    await quiet();
    const since = Date.now();
    broken.delete(node);
    isConfirmed(await verdict('up', 'ok', since));
  });

  it('costs little when all nodes fail at once', async () => {
    const since = Date.now();
    for (const id of nodes) broken.add(id);
    type Seen = { monitor: string; dueAt: number; outcome: string; recheck: boolean };
    const seenBy = (region: string): Seen[] =>
      readFileSync(recordOf(region), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Seen); // prettier-ignore
    await until('every probe has seen every node fail on its own schedule', 2 * intervalMs, () =>
      regions.every((region) => {
        const failed = seenBy(region).filter((seen) => seen.outcome === 'fail' && !seen.recheck);
        return new Set(failed.filter(({ dueAt }) => dueAt > since).map(({ monitor }) => monitor)).size === 50;
      }),
    );
    const elapsedMs = performance.now() - startedAt;
    // A tenth of what is scheduled, and ten at once after a quiet time: nothing in it grows with what fails.
    const most = 10 + (0.1 * nodes.length * elapsedMs) / intervalMs;
    for (const region of regions) {
      const rechecks = seenBy(region).filter(({ recheck }) => recheck).length;
      expect(rechecks).toBeLessThanOrEqual(most);
      expect(rechecks).toBeGreaterThan(0);
    }
    const metrics = await (await fetch(`${collector.url}/metrics`)).text();
    const handed = [...metrics.matchAll(/^highwater_look_requests_total\{.*\} (\d+)$/gm)];
    const sum = handed.reduce((all, [, count]) => all + Number(count), 0);
    expect(handed).toHaveLength(regions.length);
    // Two of three are asked, once for each monitor that fails, and for the one that failed and came back before.
    expect(sum).toBeGreaterThan(4);
    expect(sum).toBeLessThanOrEqual(2 * (nodes.length + 2));
  });
});
