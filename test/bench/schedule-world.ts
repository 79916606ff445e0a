/**
 * The world of the bench `schedule`: one real probe in a process of its own (assignment, schedule, checks, metrics,
 * journal, frames, batches, record), its targets in another, and here a collector that verifies and acknowledges.
 * Everything is on loopback and ends with this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadOrMakeSigningKey } from '@highwater/config/keys.ts';
import type { AssignedMonitor } from '@highwater/config/wire.ts';
import { probeHeapFlags } from '../../bin/probe-heap.ts';
import { makeCertificates } from '../../probe/testing/certificates.ts';
import { testCollector, type TestCollector } from '../../probe/testing/collector.ts';
import { cpuOf } from './bench.ts';
import type { Inside } from './schedule-probe.ts';
import { followRecord, type Ran } from './schedule-record.ts';

export const intervalMs = 10_000;
const timeoutMs = 5_000;
/** Of each five monitors of an address two ask either HTTP port and one the HTTPS port. */
const portOfEach = [0, 1, 0, 1, 2] as const;

export type Mode = 'answer' | 'refuse' | 'silent' | 'stutter';

/** Each second. */
export interface Sample {
  /** Unix ms. */
  readonly at: number;
  readonly residentBytes: number;
  /** So far. */
  readonly cpuMicroseconds: number;
}

export interface World extends AsyncDisposable {
  /** What the probe wrote of each check so far. */
  readonly ran: readonly Ran[];
  readonly samples: readonly Sample[];
  /** When it had all monitors, Unix ms. */
  readonly startedAt: number;
  mode(mode: Mode): Promise<void>;
  /** Waits while all goes on; throws when a process has ended. */
  pass(ms: number): Promise<void>;
  /** As the probe itself sees it; the delays since it was asked before. */
  inside(): Promise<Inside>;
}

/** Sockets of silent targets live as long as a deadline; the rest is room for files and the collector. */
function requireDescriptors(monitors: number): void {
  const soft = Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
  const needed = Math.ceil((monitors * timeoutMs) / intervalMs) + 1_000;
  if (soft >= needed) return;
  throw new Error(
    `this bench needs ${needed} file descriptors, the limit is ${soft}: run \`ulimit -n ${needed}\` first`,
  );
}

function monitorsOn(ports: readonly number[], count: number): AssignedMonitor[] {
  return Array.from({ length: count }, (_, index) => {
    const host = Math.floor(index / portOfEach.length) + 1;
    const address = `127.${1 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`;
    const door = portOfEach[index % portOfEach.length] ?? 0;
    const where = `${door === 2 ? 'https://localhost' : `http://${address}`}:${ports[door]}/`;
    return {
      id: `s${index % 100}/n${index}/http`,
      kind: 'http',
      intervalMs,
      timeoutMs,
      recheckAfterMs: 1_000,
      fall: 2,
      settings: {},
      target: { url: where, address, headers: {}, allowPrivate: true },
    };
  });
}

/** HIGHWATER_PROBE_FLAGS: Node's, for the probe alone, such as --cpu-prof. */
function start(file: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const more = (process.env['HIGHWATER_PROBE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
  const flags = file === 'schedule-probe.ts' ? [...probeHeapFlags, ...more] : [];
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, file), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`${file} has ended`);
    return value;
  };
  const say = (line: string) => void child.stdin.write(`${line}\n`);
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.stdin.end();
    const late = setTimeout(() => child.kill('SIGKILL'), 40_000);
    await gone;
    clearTimeout(late);
  };
  return { child: child as ChildProcess, read, say, end };
}

/** Keeps nothing of what it acknowledged. */
function forget(collector: TestCollector): void {
  collector.frames.clear();
  collector.batches.clear();
  collector.events.length = 0;
}

export async function startWorld(count: number): Promise<World> {
  requireDescriptors(count);
  await using opening = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-schedule-'));
  opening.defer(() => rmSync(dir, { recursive: true, force: true }));
  const { ca, good } = makeCertificates();
  writeFileSync(join(dir, 'ca.pem'), ca);
  const record = join(dir, 'record.jsonl');
  const { key } = loadOrMakeSigningKey(join(dir, 'keys', 'bench.key'), 'bench');
  const collector = await testCollector(() => [key.vkey]);
  opening.defer(() => collector.close());
  const targets = start('schedule-targets.ts', [], {});
  opening.defer(targets.end);
  targets.say(JSON.stringify(good));
  const ports = JSON.parse(await targets.read()) as number[];
  const args = [dir, collector.url, collector.operator.vkey, record];
  const probe = start('schedule-probe.ts', args, { NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem') });
  opening.defer(probe.end);
  await probe.read();
  const pid = probe.child.pid ?? 0;
  collector.assign({ probe: 'bench', region: 'here', monitors: monitorsOn(ports, count) });
  const tail = followRecord(record);
  opening.defer(tail.close);
  const startedAt = Date.now();
  const samples: Sample[] = [];
  const look = () => {
    if (probe.child.exitCode !== null || targets.child.exitCode !== null) return;
    forget(collector);
    tail.read();
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    samples.push({ at: Date.now(), residentBytes: pages * 4_096, cpuMicroseconds: cpuOf(pid) });
  };
  const timer = setInterval(look, 1_000);
  opening.defer(() => clearInterval(timer));
  const open = opening.move();
  return {
    ran: tail.ran,
    samples,
    startedAt,
    async mode(mode) {
      targets.say(mode);
      await targets.read();
    },
    async pass(ms) {
      await new Promise((done) => setTimeout(done, ms));
      if (probe.child.exitCode !== null) throw new Error('the probe has ended');
      if (targets.child.exitCode !== null) throw new Error('the targets have ended');
      tail.read();
    },
    async inside() {
      probe.say('');
      return JSON.parse(await probe.read()) as Inside;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
