/**
 * What packed observations cost: a day of one service, 25 monitors at 30 s from 5 probes, in a store as the collector has
 * it, packed as it packs. Everything is counted that stays of them: the object with its directory, and the row of the pack;
 * `body_places`, by which a body is found by its hash, apart. The bench fails unless every body comes back as its batch
 * commits to it. Against zstd of the same bodies in the same run.
 */
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { openPacked } from '../../collector/src/bodies/packed.ts';
import { packDays, type PackingPort } from '../../collector/src/packing/pack-days.ts';
import { nameServices } from '../../collector/src/testing/named-services.ts';
import { batchOf } from '../../collector/src/slots/batch-commit.ts';
import { folderBlobs } from '../../collector/src/store/blobs/folder.ts';
import { openSqliteStore, readCopy } from '../../collector/src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../collector/src/store/store.ts';
import { LOG_SHARD } from '../../collector/src/watched.ts';
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import { bodiesOf, bodyRefs, formatBatchText } from '@highwater/config/proof/batch.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { emptyRoot, leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { cpuMicroseconds, median, rounded, type Figure } from './bench.ts';
import { benchFolder } from './folder.ts';
import { observing, type ObservationOptions } from './observations.ts';

const service = 's1';
const monitors = Array.from({ length: 25 }, (_, n) => `${service}/n${n}/http`);
const probeCount = 5;
const intervalMs = 30_000;
const firstMinute = 20_000 * 1_440;
const minutes = Number(process.env['HIGHWATER_BENCH_MINUTES'] ?? 1_440);
const now = (firstMinute + 3 * 1_440) * 60_000;
/** Index of the first batch: before it is what names the service. */
const FIRST = 1;
/** Bodies that are read one by one, each as the first that is asked for. */
const READS = 40;

type Options = Omit<ObservationOptions, 'seed' | 'probe'>;

const cases: Readonly<Record<'ms' | 'head' | 'full', Options>> = {
  ms: { latency: 'ms', heads: false },
  head: { latency: 'tenths' },
  full: { latency: 'tenths', phases: true, methods: ['eth_call', 'eth_getLogs'] },
};

/** Returns the bodies in the order of their commits. */
async function fill(store: Store, options: Options): Promise<string[]> {
  const probes = Array.from({ length: probeCount }, (_, p) => {
    const probe = `p${p}`;
    const dues = monitors.map((monitor) => ({
      monitor,
      phase: phaseMs('0'.repeat(32), monitor, probe, intervalMs, sha256),
    }));
    return { probe, dues, key: generateSigningKey(probe), see: observing({ seed: 1, probe, ...options }) };
  });
  const texts: string[] = [];
  const addMinute = (minute: number): Promise<void> =>
    store.transact(LOG_SHARD, async (tx) => {
      for (const { probe, dues, key, see } of probes) {
        const lines: string[] = [];
        for (const { monitor, phase } of dues) {
          for (let due = minute * 60_000 + phase; due < (minute + 1) * 60_000; due += intervalMs) {
            lines.push(see(monitor, due));
          }
        }
        const bodies = bodiesOf(lines);
        const refs = bodyRefs(bodies, sha256);
        const number = minute - firstMinute;
        const span = { first: minute, last: minute };
        const note = key.sign(
          formatBatchText({
            origin: 'bench.example.com/log',
            probe,
            epoch: 0,
            number,
            prev: ZERO_HASH,
            minutes: span,
            config: ZERO_HASH,
            clock: { boundMs: 1, ageS: 0 },
            tip: { size: 0, root: encodeBase64(emptyRoot(sha256)) },
            gaps: [],
            bodies: refs,
          }),
        );
        const hash = leafHashOfNote(note, sha256);
        const batch = { probe, epoch: 0, number, minutes: span };
        const index = await tx.addCommit({ kind: 'batch', at: minute * 60_000, note, hash, batch });
        const held = refs.map((ref) => ({
          service: ref.service,
          hash: ref.hash,
          shown: 'public' as const,
          text: bodies.get(ref.service) ?? '',
        }));
        await tx.addBodies(index, held);
        texts.push(...held.map(({ text }) => text));
      }
    });
  await nameServices(store, [service]);
  for (let minute = firstMinute; minute < firstMinute + minutes; minute += 1) await addMinute(minute);
  return texts;
}

function portOf(store: Store): PackingPort {
  return {
    async writing() {
      await Promise.resolve();
    },
    written: (row) => store.transact(LOG_SHARD, (tx) => tx.addPack(row)),
    packed: (indexes) => store.transact(LOG_SHARD, (tx) => tx.dropBodies(indexes)),
    async placed() {
      await Promise.resolve();
    },
    async walked() {
      await Promise.resolve();
    },
    async failed(_, day, because) {
      await Promise.reject(new Error(`day ${day} was not packed: ${because}`));
    },
  };
}

/** Milliseconds to read each of some bodies, as the first of its pack; throws for one that is not what was committed to. */
async function readTimes(store: Store, folder: string, texts: readonly string[]): Promise<number[]> {
  const blobs = folderBlobs(join(folder, 'blobs'));
  const times: number[] = [];
  for (let i = 0; i < READS; i += 1) {
    const index = Math.floor(((i + 0.5) * texts.length) / READS);
    const packed = openPacked((work) => store.read(LOG_SHARD, work), blobs);
    const [commit] = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(FIRST + index, 1));
    const batch = commit && batchOf(commit);
    if (commit === undefined || batch === undefined) throw new Error(`no batch ${index}`);
    const from = performance.now();
    const [body] = await packed.ofBatch(commit, batch, () => true);
    times.push(performance.now() - from);
    if (body?.text !== texts[index]) throw new Error(`the body of batch ${index} is not what it was`);
  }
  return times;
}

/** Throws unless every body is given back; what a pack gives is compared with the hash in the batch. */
async function demandAll(store: Store, folder: string, texts: readonly string[]): Promise<void> {
  const packed = openPacked((work) => store.read(LOG_SHARD, work), folderBlobs(join(folder, 'blobs')));
  for (const [index, text] of texts.entries()) {
    const [commit] = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(FIRST + index, 1));
    const batch = commit && batchOf(commit);
    const [body] = commit && batch ? await packed.ofBatch(commit, batch, () => true) : [];
    if (body?.text !== text) throw new Error(`the body of batch ${index} is not what it was`);
  }
}

async function measure(name: keyof typeof cases): Promise<Figure[]> {
  using made = benchFolder();
  const folder = made.path;
  const store = openSqliteStore(folder);
  const texts = await fill(store, cases[name]);
  const whole = Buffer.from(texts.join(''));
  let bare = 0;
  const bareUs = await cpuMicroseconds(async () => {
    bare = zstdCompressSync(whole).length;
  });
  const blobs = folderBlobs(join(folder, 'blobs'));
  const us = await cpuMicroseconds(() =>
    readCopy(join(folder, 'store.db'), LOG_SHARD, (tx) =>
      packDays({ tx, blobs, packed: openPacked((work) => work(tx), blobs), port: portOf(store), now }),
    ),
  );
  const rows = await store.read(LOG_SHARD, (tx) => tx.packs(service, firstMinute / 1_440));
  const lines = rows.reduce((sum, row) => sum + row.lines, 0);
  const objects = rows.reduce((sum, row) => sum + row.bytes, 0);
  const times = await readTimes(store, folder, texts);
  await demandAll(store, folder, texts);
  await store[Symbol.asyncDispose]();
  const db = new Database(join(folder, 'store.db'), { readonly: true });
  const sizeOf = db.prepare<[string], number>('SELECT sum(pgsize) FROM dbstat WHERE name = ?').pluck();
  const [packBytes, placeBytes] = [sizeOf.get('packs') ?? 0, sizeOf.get('body_places') ?? 0];
  db.close();
  const figure = (rest: Pick<Figure, 'case' | 'against' | 'ratio' | 'value' | 'unit'>): Figure => ({
    bench: 'storage',
    runs: 1,
    ...rest,
    ratio: rounded(rest.ratio),
    value: rounded(rest.value),
  });
  const bytes = objects + packBytes;
  return [
    figure({
      case: `packed-${name}-bytes-per-observation`,
      against: 'zstd of the bodies',
      ratio: bytes / bare,
      value: bytes / lines,
      unit: 'bytes',
    }),
    figure({
      case: `packed-${name}-places-bytes-per-observation`,
      against: 'the pack',
      ratio: placeBytes / bytes,
      value: placeBytes / lines,
      unit: 'bytes',
    }),
    figure({
      case: `pack-${name}-us-per-observation`,
      against: 'zstd of the bodies',
      ratio: us / bareUs,
      value: us / lines,
      unit: 'us CPU, written, read back and compared',
    }),
    figure({
      case: `body-read-${name}-ms`,
      against: 'the slowest',
      ratio: median(times) / Math.max(...times),
      value: median(times),
      unit: 'ms for one body with nothing in memory',
    }),
  ];
}

/** `only` names one figure, or nothing for all. */
export async function* storagePacked(only: string | undefined): AsyncIterable<Figure> {
  for (const name of ['ms', 'head', 'full'] as const) {
    if (only !== undefined && !only.includes(`-${name}-`)) continue;
    for (const figure of await measure(name)) if (only === undefined || figure.case === only) yield figure;
  }
}
