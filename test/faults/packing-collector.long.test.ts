/**
 * SIGKILL of real collectors while their threads pack days that are over. Each that starts after it gives back every body
 * by its hash over HTTP, those in rows and those in packs; the one that is let go on leaves every body in one pack.
 *
 *   npm run test:long -- packing-collector      3 kills each of 2 at a time; HIGHWATER_COLLECTOR_KILLS for more,
 *                                               HIGHWATER_SEED=N to repeat: packing begins a minute after a start
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { expect, it } from 'vitest';
import { readConfig } from '../../bin/config-file.ts';
import { regions } from '../../collector/src/testing/config.ts';
import { packableBefore } from '../../collector/src/packing/plan.ts';
import { readCopy } from '../../collector/src/store/sqlite/sqlite-store.ts';
import { fill } from '../../collector/src/testing/filled.ts';
import { LOG_SHARD } from '../../collector/src/watched.ts';
import { type Process, startRole, until } from '../e2e/process.ts';
import { publicBody } from './committed.ts';
import { randomFrom } from './random.ts';
import { readStored } from './stored.ts';

const kills = Number(process.env['HIGHWATER_COLLECTOR_KILLS'] ?? 3);
const seed = Number(process.env['HIGHWATER_SEED'] ?? Date.now() % 1_000_000_007);
const collectors = 2;
const serviceCount = 6;
const DAY_MINUTES = 1_440;
/** Of two days, 20 at each end of a day. */
const minutes = 40;
const packed = '"msg":"bodies-packed"';

const keys = {
  eu: generateSigningKey('eu-1'),
  us: generateSigningKey('us-1'),
  sg: generateSigningKey('sg-1'),
};

const configText = (): string => `site: { name: Packing, url: "http://127.0.0.1:9" }
log: { origin: packing.test.invalid/log }
regions: [ { id: eu, name: Europe }, { id: us, name: America }, { id: sg, name: Asia } ]
probes:
${regions.map((region) => `  - { id: ${region}-1, region: ${region}, key: "${keys[region].vkey}" }`).join('\n')}
services:
${Array.from(
  { length: serviceCount },
  (_, i) => `  - id: s${i}
    name: Service ${i}
    nodes: [ { id: a, zone: z, url: "http://192.0.2.1" }, { id: b, zone: z, url: "http://192.0.2.2" } ]
    checks: [ { kind: http, every: 20s, timeout: 5s } ]`,
).join('\n')}
`;

/** Resolves when a collector has told so often that it packed something. */
const told = (collector: Process, times: number): Promise<boolean> =>
  until(`${times} objects are packed`, 150_000, () => collector.output().split(packed).length > times);

it(`${kills} kills of each of ${collectors} collectors that pack (seed ${seed})`, async () => {
  console.log(
    `seed ${seed}: HIGHWATER_SEED=${seed} HIGHWATER_COLLECTOR_KILLS=${kills} npm run test:long -- packing-collector`,
  );
  const random = randomFrom(seed);
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-packing-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'highwater.yaml');
  writeFileSync(file, configText());
  const template = join(dir, 'template');
  const acknowledged = new Map<string, string>();
  const day = packableBefore(Date.now()) - 3;
  for (let epoch = 0; epoch < 2; epoch += 1) {
    const from = (day + epoch + 1) * DAY_MINUTES - minutes / 2;
    const house = { config: readConfig(file), keys };
    for (const [hash, text] of await fill(template, house, { from, minutes, random, epoch })) {
      acknowledged.set(hash, text);
    }
  }
  const { commits } = await readStored(template);

  const expectAll = async ({ url }: Process): Promise<void> => {
    const wrong: string[] = [];
    for (const [hash, text] of acknowledged) if ((await publicBody(url, hash)) !== text) wrong.push(hash);
    expect(wrong).toEqual([]);
  };
  const heldIn = (data: string): Promise<readonly number[]> =>
    readCopy(join(data, 'collector', 'store.db'), LOG_SHARD, (tx) => tx.heldBefore(2 ** 40, 1));
  let [halfway, whole] = [0, 0];
  /** A collector, again and again: killed while it packs, looked at, and let go on at last. */
  const life = async (id: number): Promise<void> => {
    const data = join(dir, `data-${id}`);
    cpSync(template, data, { recursive: true });
    const start = async (): Promise<Process> =>
      stack.use(await startRole(['collector', '--config', file, '--data', data, '--port', '0']));
    for (let kill = 0; kill < kills; kill += 1) {
      const collector = await start();
      await expectAll(collector);
      // There are some for each service and day, and one packing at a time.
      await told(collector, 1 + Math.floor((random() * serviceCount) / kills));
      await new Promise((strike) => setTimeout(strike, random() * 10));
      collector.signal('SIGKILL');
      expect(await collector.gone).toBe('SIGKILL');
      const stored = await readStored(data);
      expect(stored.doubled).toEqual([]);
      if (stored.packs.length > 0 && stored.held > 0) halfway += 1;
    }
    const last = await start();
    await expectAll(last);
    await until('all is packed', 150_000, async () => (await heldIn(data)).length === 0);
    await expectAll(last);
    last.signal('SIGTERM');
    expect(await last.gone).toBe('0');
    const settled = await readStored(data);
    expect([settled.commits, settled.held, settled.doubled, settled.stray]).toEqual([commits, 0, [], []]);
    expect(settled.bodies.size).toBe(acknowledged.size);
    whole += settled.packs.length;
  };
  await Promise.all(Array.from({ length: collectors }, (_, id) => life(id)));
  console.log(
    `${kills * collectors} kills, ${halfway} of them halfway; ${acknowledged.size} bodies, ${whole} objects in ${collectors} folders`,
  );
  expect(halfway).toBeGreaterThan(0);
});
