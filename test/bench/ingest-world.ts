/**
 * A collector in a process of its own and what its probes send it: 2,000 monitors at 30 s from 5 probes, that is a frame
 * of about 67 lines a second and a batch each minute from each, as fast as they are acknowledged.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateSigningKey, sha256, type SigningKey } from '@highwater/config/keys.ts';
import { bodiesOf, bodyRefs, formatBatchText } from '@highwater/config/proof/batch.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { formatFrameText } from '@highwater/config/proof/frame.ts';
import { emptyRoot, leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import { uptimeAnswer } from '@highwater/config/public-detail.ts';
import { assignment, assignmentBody, type AssignmentBody } from '@highwater/config/wire.ts';
import { startRole, type Process, type Within } from '../e2e/process.ts';
import { declaredBefore } from './declared-before.ts';
import { benchFolder } from './folder.ts';
import { type ObservationOptions, type Observe, observing } from './observations.ts';

const serviceCount = 80;
const nodesEach = 25;
export const probeCount = 5;
const intervalMs = 30_000;
const origin = 'bench.example.com/log';

interface Sender {
  readonly id: string;
  readonly key: SigningKey;
  /** By phase. */
  readonly dues: readonly { readonly monitor: string; readonly phase: number }[];
  readonly config: string;
  readonly observe: Observe;
  frame: number;
  number: number;
  prev: string;
}

export interface IngestWorld extends AsyncDisposable {
  readonly dataDir: string;
  collector: Process;
  /** Ends the collector and starts it again. */
  restart(): Promise<void>;
  /** Sends minutes of the past up to now; gives the lines, in frames, once all are acknowledged. */
  send(minutes: number): Promise<readonly (readonly string[])[]>;
  /** Resolves once slots have taken in all that was acknowledged, and verdicts have had the time to. */
  takenIn(): Promise<void>;
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

function linesDue({ dues, observe }: Sender, from: number): string[] {
  const second = from % intervalMs;
  return dues.flatMap(({ monitor, phase }) =>
    phase < second || phase >= second + 1_000 ? [] : [observe(monitor, from - second + phase)],
  );
}

async function post(url: string, note: string): Promise<void> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: note });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${text}`);
}

async function sendMinute(url: string, sender: Sender, minute: number): Promise<string[][]> {
  const { id: probe, key } = sender;
  const frames: string[][] = [];
  for (let second = 0; second < 60; second += 1) {
    const lines = linesDue(sender, minute * 60_000 + second * 1_000);
    const text = formatFrameText({ origin, probe, epoch: 0, frame: sender.frame, lines });
    sender.frame += 1;
    await post(`${url}/v1/frames`, key.sign(text));
    frames.push(lines);
  }
  const note = key.sign(
    formatBatchText({
      origin,
      probe,
      epoch: 0,
      number: sender.number,
      prev: sender.prev,
      minutes: { first: minute, last: minute },
      config: sender.config,
      clock: { boundMs: 1, ageS: 0 },
      tip: { size: 0, root: encodeBase64(emptyRoot(sha256)) },
      gaps: [],
      bodies: bodyRefs(bodiesOf(frames.flat()), sha256),
    }),
  );
  sender.number += 1;
  sender.prev = leafHashOfNote(note, sha256);
  await post(`${url}/v1/batches`, note);
  return frames;
}

/** @param minutes at most to be sent: what is configured has been in force for longer */
export async function ingestWorld(
  lines: Omit<ObservationOptions, 'probe'>,
  minutes: number,
  within?: Within,
): Promise<IngestWorld> {
  const stack = new AsyncDisposableStack();
  const dataDir = stack.use(benchFolder()).path;
  const keys = Array.from({ length: probeCount }, (_, index) => generateSigningKey(`p${index}`));
  const config = join(dataDir, 'hw.yaml');
  writeFileSync(config, configText(keys));
  // A minute is cut off at each end, and this run may begin in another one than the sending.
  await declaredBefore(config, dataDir, minutes + 3);
  const role = ['collector', '--config', config, '--data', dataDir, '--port', '0'];
  const start = (): Promise<Process> => startRole(role, {}, within);
  const world = { dataDir, collector: await start() };
  stack.defer(() => world.collector[Symbol.asyncDispose]());
  const senders = await Promise.all(
    keys.map(async (key, index): Promise<Sender> => {
      const id = `p${index}`;
      const { seed, config: leaf, monitors } = await assignmentOf(world.collector.url, id, key);
      const dues = monitors.map(({ id: monitor }) => ({
        monitor,
        phase: phaseMs(seed, monitor, id, intervalMs, sha256),
      }));
      const observe = observing({ ...lines, probe: id });
      return { id, key, dues, config: leaf, observe, frame: 0, number: 0, prev: ZERO_HASH };
    }),
  );
  return Object.assign(world, {
    async restart() {
      await world.collector[Symbol.asyncDispose]();
      world.collector = await start();
    },
    async send(minutes: number) {
      const sent: string[][] = [];
      const last = Math.floor(Date.now() / 60_000);
      for (let minute = last - minutes; minute < last; minute += 1) {
        const parts = await Promise.all(
          senders.map((sender) => sendMinute(world.collector.url, sender, minute)),
        );
        sent.push(...parts.flat());
      }
      return sent;
    },
    async takenIn() {
      // It is answered after slots have followed all commits.
      const answer = await fetch(`${world.collector.url}/v1/uptime?subject=s0/n0/http&period=30d`);
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`uptime: ${answer.status} ${text}`);
      const { up } = uptimeAnswer.parse(JSON.parse(text)).totals;
      if (up === 0) throw new Error('no minute of a monitor was judged, so this measured nothing');
      // Verdicts follow each frame within a quarter of a second.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  });
}
