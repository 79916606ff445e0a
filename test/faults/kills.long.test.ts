/**
 * SIGKILL of the probe and of the collector under load, half at random, half aimed between the start of a
 * write and its acknowledgement. Nothing acknowledged is lost, nothing counts twice, ready again within 5 s.
 *
 *   npm run test:long -- kills            100 of each; HIGHWATER_KILLS=20 for fewer, HIGHWATER_SEED=N to repeat
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseBatchText } from '@highwater/config/proof/batch.ts';
import { parseFrameText } from '@highwater/config/proof/frame.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import { expect, it } from 'vitest';
import { getJson, highwater, startRole, until, type Process } from '../e2e/process.ts';
import { publicBody } from './committed.ts';
import { startProxy, type Proxy, type Seen } from './proxy.ts';
import { plainTally } from './tally.ts';
import { randomFrom } from './random.ts';
import { startTarget } from './target.ts';

const kills = Number(process.env['HIGHWATER_KILLS'] ?? 100);
const seed = Number(process.env['HIGHWATER_SEED'] ?? Date.now() % 1_000_000_007);
const readyLimitMs = 5_000;
const serviceCount = 10;
const checksEach = 3;

/** The text of a signed note, whether it came alone or with details or bodies beside it. */
function noteText(body: string): string {
  const note = body.startsWith('{') ? (JSON.parse(body) as { note: string }).note : body;
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}

function configText(target: string, key: string): string {
  const checks = Array.from(
    { length: checksEach },
    (_, index) => `{ kind: http, id: http${index}, every: 1s, timeout: 500ms }`,
  );
  const services = Array.from(
    { length: serviceCount },
    (_, index) => `  - id: s${index}
    name: Service ${index}
    nodes: [ { id: n, zone: z, url: "${target}", allowPrivate: true } ]
    checks: [ ${checks.join(', ')} ]`,
  );
  return `site: { name: Kills, url: "https://status.example.com" }
regions: [ { id: eu, name: Europe } ]
probes: [ { id: eu-1, region: eu, key: "${key}" } ]
services:
${services.join('\n')}
`;
}

/** CPU that a process has used, ms: on a machine that others use too, what it cost to be ready. */
function cpuMs(pid: number | undefined): number {
  const [user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ').slice(13).map(Number);
  return (user + system) * 10;
}

/** What the proxy saw acknowledged. */
class Ledger {
  readonly lines = new Set<string>();
  readonly batches = new Map<string, string>();
  readonly conflicts: string[] = [];
  add(seen: Seen): void {
    if (seen.status === 409) this.conflicts.push(noteText(seen.body));
    if (seen.method !== 'POST' || seen.status !== 200) return;
    const text = noteText(seen.body);
    if (seen.path === '/v1/frames') {
      const frame = parseFrameText(text);
      if ('error' in frame) throw new Error(frame.error);
      for (const line of frame.lines) this.lines.add(line);
    }
    if (seen.path === '/v1/batches') {
      const batch = parseBatchText(text);
      if ('error' in batch) throw new Error(batch.error);
      const id = `${batch.epoch}/${batch.number}`;
      const known = this.batches.get(id);
      if (known !== undefined && known !== text) throw new Error(`two texts acknowledged as batch ${id}`);
      this.batches.set(id, text);
    }
  }
}

it(`${kills} kills of each: nothing acknowledged is lost, nothing counts twice (seed ${seed})`, async () => {
  console.log(`seed ${seed}: HIGHWATER_SEED=${seed} HIGHWATER_KILLS=${kills} npm run test:long -- kills`);
  const random = randomFrom(seed);
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-kills-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  // Every seventh answer fails, so that slots are not all alike.
  const target = stack.use(await startTarget((nth) => (nth % 7 === 0 ? 503 : 200)));
  const made = await highwater(['probe', 'keygen', '--id', 'eu-1', '--data', join(dir, 'probe')]);
  const configFile = join(dir, 'highwater.yaml');
  writeFileSync(configFile, configText(target.url, made.stdout.trimEnd().split('\n').at(-1) ?? ''));

  const data = join(dir, 'data');
  let port = '0';
  const startCollector = async (): Promise<Process> => {
    const role = await startRole(['collector', '--config', configFile, '--data', data, '--port', port]);
    port = new URL(role.url).port;
    return role;
  };
  const firstMinute = Math.floor(Date.now() / 60_000);
  let collector = await startCollector();
  stack.defer(() => collector[Symbol.asyncDispose]());
  const ledger = new Ledger();
  const proxy: Proxy = stack.use(await startProxy(collector.url));
  proxy.onAnswer = (seen) => ledger.add(seen);
  const startProbe = () =>
    startRole([
      ...['probe', '--id', 'eu-1', '--data', join(dir, 'probe'), '--collector', proxy.url],
      ...['--allow-private', '127.0.0.0/8', '--port', '0'],
    ]);
  let probe = await startProbe();
  stack.defer(() => probe[Symbol.asyncDispose]());

  /** Resolves when a frame with lines has been acknowledged since the call. */
  const nextAcknowledged = (what: string) => {
    const before = ledger.lines.size;
    return until(what, 20_000, () => ledger.lines.size > before);
  };
  await nextAcknowledged('the first lines acknowledged');

  const slowest = { collector: 0, probe: 0 };
  const mostCpu = { collector: 0, probe: 0 };
  for (let round = 0; round < kills * 2; round += 1) {
    const victim = round % 2 === 0 ? 'collector' : 'probe';
    const aimed = random() < 0.5;
    const delayMs = random() * (aimed ? 6 : 1_000);
    const current = victim === 'collector' ? collector : probe;
    const strike = () => void setTimeout(() => current.signal('SIGKILL'), delayMs);
    if (aimed) {
      // A write has begun; the blow falls while the collector works on it or the answer is on its way.
      proxy.onWrite = (_path, forwarded) => {
        proxy.onWrite = undefined;
        void forwarded.then(strike);
      };
    } else strike();
    await current.gone;
    const from = performance.now();
    if (victim === 'collector') collector = await startCollector();
    else probe = await startProbe();
    slowest[victim] = Math.max(slowest[victim], performance.now() - from);
    const { pid } = (victim === 'collector' ? collector : probe).child;
    mostCpu[victim] = Math.max(mostCpu[victim], cpuMs(pid));
    await nextAcknowledged(`lines acknowledged after round ${round} (${victim})`);
  }
  console.log(`ready within ${JSON.stringify(slowest)} ms, with ${JSON.stringify(mostCpu)} ms of CPU`);

  // The end: the probe stops taking observations, and what it still holds is delivered by a last start.
  // A short run goes on without kills until there are two whole minutes to compare.
  const lastMinute = Math.max(Math.floor(Date.now() / 60_000), firstMinute + 3);
  await until('the batches of the last minute are acknowledged', 330_000, () =>
    [...ledger.batches.values()].some((text) => {
      const batch = parseBatchText(text);
      return !('error' in batch) && batch.minutes.first > lastMinute;
    }),
  );

  expect(ledger.conflicts).toEqual([]);
  const committed: string[] = [];
  for (const text of ledger.batches.values()) {
    const batch = parseBatchText(text);
    if ('error' in batch) throw new Error(batch.error);
    for (const body of batch.bodies) {
      const held = await publicBody(collector.url, body.hash);
      expect(held, `body ${body.hash} of ${batch.epoch}/${batch.number}`).toBeDefined();
      committed.push(...(held ?? '').trimEnd().split('\n'));
    }
  }
  const settled = (line: string) => Number(line.split(' ')[1]) < lastMinute * 60_000;
  const once = new Set(committed);
  expect(once.size, 'a line is in one batch only').toBe(committed.length);
  expect([...ledger.lines].filter((line) => settled(line) && !once.has(line))).toEqual([]);

  // Slots, recounted the plain way from the committed lines.
  const records = committed.map((line) => {
    const parsed = parseLine(line);
    if ('error' in parsed) throw new Error(parsed.error);
    const { fault, ...rest } = parsed;
    return {
      ...rest,
      probe: 'eu-1',
      ...(fault && { fault: `${fault.source}.${fault.operation}.${fault.code}` }),
    };
  });
  const plain = plainTally(records, 1, 1_000);
  let compared = 0;
  for (const [key, state] of plain) {
    const [monitor = '', minute = ''] = key.split(' ');
    // The first configuration is in force from the minute after the first start.
    if (Number(minute) <= firstMinute || Number(minute) >= lastMinute) continue;
    if (!monitor.endsWith('http0')) continue;
    const at = Number(minute) * 60_000;
    const why = await getJson<{ slot?: { state: string } }>(
      `${collector.url}/v1/why?monitor=${encodeURIComponent(monitor)}&at=${at}`,
    );
    expect({ key, state: why.slot?.state }).toEqual({ key, state });
    compared += 1;
  }
  expect(compared).toBeGreaterThan(serviceCount);
  console.log(
    `${kills} kills of each: ${ledger.lines.size} lines acknowledged, ${committed.length} committed in ` +
      `${ledger.batches.size} batches, ${compared} slots compared; slowest start: collector ` +
      `${Math.round(slowest.collector)} ms, probe ${Math.round(slowest.probe)} ms`,
  );
  // Last: on a machine that others use too, the rest is to be seen first.
  expect(slowest.collector).toBeLessThan(readyLimitMs);
  expect(slowest.probe).toBeLessThan(readyLimitMs);
});
