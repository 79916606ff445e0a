/**
 * What one observation costs the collector, from the signed frame to counts and verdicts: 2,000 monitors at 30 s
 * from 5 probes, a frame of about 67 lines a second and a batch each minute from each, FULL commits. The probes'
 * past ten minutes are sent as fast as they are acknowledged; the collector's CPU is counted, the generator's is not.
 * Against bare appends of the same lines to SQLite, in transactions of one frame, synchronous = FULL.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey, sha256, type SigningKey } from '@highwater/config/keys.ts';
import { bodiesOf, bodyRefs, formatBatchText } from '@highwater/config/proof/batch.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { formatFrameText } from '@highwater/config/proof/frame.ts';
import { emptyRoot, leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import { assignment, assignmentBody, type AssignmentBody } from '@highwater/config/wire.ts';
import Database from 'better-sqlite3';
import { startRole } from '../e2e/process.ts';
import { cpuMicroseconds, cpuOf, rounded, type Bench } from './bench.ts';

const serviceCount = 80;
const nodesEach = 25;
const probeCount = 5;
const intervalMs = 30_000;
const minutes = Number(process.env['HIGHWATER_BENCH_MINUTES'] ?? 10);
const origin = 'bench.example.com/log';

interface Sender {
  readonly key: SigningKey;
  readonly dues: readonly { readonly monitor: string; readonly phase: number }[];
  readonly config: string;
  frame: number;
  number: number;
  prev: string;
}

function configText(keys: readonly SigningKey[]): string {
  const regions = keys.map((_, index) => `{ id: r${index}, name: R${index} }`);
  const probes = keys.map(({ vkey }, index) => `  - { id: p${index}, region: r${index}, key: "${vkey}" }`);
  const nodes = Array.from(
    { length: nodesEach },
    (_, n) => `{ id: n${n}, zone: z${n}, url: "http://192.0.2.1" }`,
  );
  const services = Array.from(
    { length: serviceCount },
    (_, s) =>
      `  - { id: s${s}, name: S${s}, nodes: [ ${nodes.join(', ')} ], checks: [ { kind: http, every: 30s } ] }`,
  );
  return [
    'site: { name: Bench, url: "https://bench.example.com" }',
    `regions: [ ${regions.join(', ')} ]`,
    'probes:',
    ...probes,
    'services:',
    ...services,
    '',
  ].join('\n');
}

async function assignmentOf(url: string, id: string, key: SigningKey): Promise<AssignmentBody> {
  const target = '/v1/assignments?after=0&wait=0s';
  const text = formatRequestText({ origin, probe: id, method: 'GET', target, at: Date.now() });
  const answer = await fetch(url + target, { headers: { authorization: authorizationOf(key.sign(text)) } });
  if (answer.status !== 200) throw new Error(`assignment: ${answer.status} ${await answer.text()}`);
  return assignmentBody.parse(JSON.parse(assignment.parse(await answer.json()).body));
}

/** Lines due in [from, from + 1 s): 1 % fail, latency wanders. */
function linesDue(sender: Sender, from: number): string[] {
  const second = from % intervalMs;
  return sender.dues.flatMap(({ monitor, phase }) => {
    if (phase < second || phase >= second + 1_000) return [];
    const due = from - second + phase;
    const wander = Math.round(400 + 200 * Math.sin(due / 700_000 + phase));
    return (due / 10 + phase) % 100 < 1
      ? [`${monitor} ${due} fail ${wander} target.http.status sc=503`]
      : [`${monitor} ${due} ok ${wander} - p=0,${wander >> 3},0,${wander >> 1},${wander >> 4}`];
  });
}

async function post(url: string, note: string): Promise<void> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: note });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${text}`);
}

async function sendMinute(url: string, id: string, sender: Sender, minute: number): Promise<string[]> {
  const all: string[] = [];
  for (let second = 0; second < 60; second += 1) {
    const lines = linesDue(sender, minute * 60_000 + second * 1_000);
    const text = formatFrameText({ origin, probe: id, epoch: 0, frame: sender.frame, lines });
    sender.frame += 1;
    await post(`${url}/v1/frames`, sender.key.sign(text));
    all.push(...lines);
  }
  const note = sender.key.sign(
    formatBatchText({
      origin,
      probe: id,
      epoch: 0,
      number: sender.number,
      prev: sender.prev,
      minutes: { first: minute, last: minute },
      config: sender.config,
      clock: { boundMs: 1, ageS: 0 },
      tip: { size: 0, root: encodeBase64(emptyRoot(sha256)) },
      gaps: [],
      bodies: bodyRefs(bodiesOf(all), sha256),
    }),
  );
  sender.number += 1;
  sender.prev = leafHashOfNote(note, sha256);
  await post(`${url}/v1/batches`, note);
  return all;
}

/** The raw limit: the same lines appended to a rowid table, a FULL commit for each frame's worth. */
async function bareAppends(dir: string, lines: readonly string[]): Promise<number> {
  const db = new Database(join(dir, 'bare.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('create table line (probe integer, received integer, text text) strict');
  const insert = db.prepare('insert into line values (?, ?, ?)');
  const frame = Math.round(lines.length / (minutes * 60 * probeCount));
  const cpu = await cpuMicroseconds(async () => {
    for (let at = 0; at < lines.length; at += frame) {
      db.transaction(() => {
        for (const line of lines.slice(at, at + frame)) insert.run(1, at, line);
      })();
    }
  });
  db.close();
  return cpu / lines.length;
}

export const bench: Bench = async function* (only) {
  if (only !== undefined && only !== 'observations-per-second') return;
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-bench-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const keys = Array.from({ length: probeCount }, (_, index) => generateSigningKey(`p${index}`));
  const config = join(dir, 'hw.yaml');
  writeFileSync(config, configText(keys));
  const role = ['collector', '--config', config, '--data', dir, '--port', '0'];
  const collector = stack.use(await startRole(role));
  const senders = await Promise.all(
    keys.map(async (key, index): Promise<[string, Sender]> => {
      const id = `p${index}`;
      const { seed, config: leaf, monitors } = await assignmentOf(collector.url, id, key);
      const dues = monitors.map(({ id: monitor }) => ({
        monitor,
        phase: phaseMs(seed, monitor, id, intervalMs, sha256),
      }));
      return [id, { key, dues, config: leaf, frame: 0, number: 0, prev: ZERO_HASH }];
    }),
  );
  const first = Math.floor(Date.now() / 60_000) - minutes;
  const sent: string[] = [];
  const before = cpuOf(collector.child.pid ?? 0);
  for (let minute = first; minute < first + minutes; minute += 1) {
    const parts = await Promise.all(
      senders.map(([id, sender]) => sendMinute(collector.url, id, sender, minute)),
    );
    for (const part of parts) sent.push(...part);
  }
  const ours = (cpuOf(collector.child.pid ?? 0) - before) / sent.length;
  const bare = await bareAppends(dir, sent);
  yield {
    bench: 'ingest',
    case: 'observations-per-second',
    against: 'bare SQLite appends, FULL',
    ratio: rounded(ours / bare),
    value: Math.round(1_000_000 / ours),
    unit: 'observations/s of collector CPU',
    runs: 1,
  };
};
