/**
 * The slots that are made bit by bit must equal those that the rule gives over the same commits, whatever the order,
 * the lateness and the restarts. The reference is config/src/proof/rule/evaluate.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey, sha256, type SigningKey } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { projectConfig } from '@highwater/config/project.ts';
import { bodiesOf, bodyRefs, formatBatchText, minutesOf, splitByDay } from '@highwater/config/proof/batch.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { emptyRoot, leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { formatProjection } from '@highwater/config/proof/projection.ts';
import { evaluate } from '@highwater/config/proof/rule/evaluate.ts';
import type { Evidence, LoggedLeaf } from '@highwater/config/proof/rule/evidence.ts';
import { addTotals, emptyTotals } from '@highwater/config/proof/rule/totals.ts';
import { type Clock, dayOfMinute, MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyName } from '../bodies/files.ts';
import { declareLeaves } from '../leaves/leaves.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { besideStore } from '../rebuild/beside.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { signerOf, signerOfKey } from '../signer.ts';
import { LOG_SHARD, watch, type Watched } from '../watched.ts';
import { slotOfByte } from './byte.ts';
import { decodeDay, totalsOfPlane } from './day.ts';
import { CLOSE_AFTER_MS, openSlots, type Slots } from './slots.ts';

/** Seven minutes before a midnight, so that the range crosses it. */
const FIRST = 20_000 * MINUTES_PER_DAY - 7;
const LENGTH = 16;
const seed = '000102030405060708090a0b0c0d0e0f';
const root = encodeBase64(emptyRoot(sha256));

interface World {
  readonly configs: readonly [Config, Config];
  readonly keys: readonly SigningKey[];
  /** In place of the first of them, under the second configuration where it is renewed. */
  readonly renewed: SigningKey;
  readonly operator: SigningKey;
}

/** Windows of one, two and five minutes; two probes in one region; three heads of three operators. */
function world(): World {
  const { config, keys } = testHouse(20_000);
  const second = generateSigningKey('eu-2');
  const probes = [...config.probes, { id: 'eu-2', region: 'eu', key: second.vkey, operator: 'Another' }];
  const services = config.services.map((service) => ({
    ...service,
    nodes: service.nodes.map((node) => ({ ...node, operator: `Operator of ${node.id}` })),
  }));
  const every = (id: string): number =>
    id.endsWith('jsonrpc') ? 90_000 : id.startsWith('web') ? 300_000 : 20_000;
  const monitors = config.monitors.map((m) => ({ ...m, intervalMs: every(m.id), timeoutMs: 5_000 }));
  const before: Config = { ...config, probes, services, monitors };
  const after: Config = {
    ...before,
    services: services.map((service) => (service.id === 'rpc' ? { ...service, minUp: 2 } : service)),
    monitors: monitors.map((m) => (m.id === 'rpc/a/jsonrpc' ? { ...m, intervalMs: 30_000 } : m)),
  };
  return {
    configs: [before, after],
    keys: [keys.eu, keys.us, keys.sg, second],
    renewed: generateSigningKey('eu-1'),
    operator: generateSigningKey(config.origin),
  };
}

const outcomes = [
  'ok 100 -',
  'ok 120 -',
  'degraded 900 target.rpc.slow',
  'fail 5 target.connect.refused',
  'fail 7 target.head.old',
  'skipped 0 probe.loop.late',
  'fail 3 probe.control.failed',
  'ok 100 - late=16000',
  'ok 100 - re=1',
] as const;

/** All due times of a monitor for a probe in the range, one line each; `pick` says what was seen. */
function linesOf(config: Config, probe: string, pick: () => number): string[] {
  const lines: string[] = [];
  for (const { id, intervalMs } of config.monitors) {
    const phase = phaseMs(seed, id, probe, intervalMs, sha256);
    for (let at = nextDueAt(FIRST * MINUTE_MS - 1, phase, intervalMs); at < (FIRST + LENGTH) * MINUTE_MS;) {
      const choice = pick();
      // A choice beyond the table is silence; one line in some is not at a due time.
      const outcome = outcomes[pick() % 3 > 0 ? choice % 5 : choice % (outcomes.length + 2)];
      if (outcome !== undefined) lines.push(`${id} ${choice % 31 === 0 ? at + 1 : at} ${outcome}`);
      if (outcome !== undefined && pick() % 29 === 0) lines.push(`${id} ${at} ok 777 -`);
      at = nextDueAt(at, phase, intervalMs);
    }
  }
  return lines;
}

interface Delivery {
  readonly note: string;
  readonly probe: string;
  readonly epoch: number;
  readonly number: number;
  readonly last: number;
  readonly minutes: { readonly first: number; readonly last: number };
  readonly bodies: ReadonlyMap<string, string>;
}

/** A probe's batches, one every `minutes`; `bound` and `config` by number, a contradiction where `twice` says so. */
function batchesOf(
  key: SigningKey,
  epoch: number,
  lines: readonly string[],
  choose: { minutes: number; bound: () => number; config: (n: number) => string; twice: number },
  origin: string,
): Delivery[] {
  const chunks = new Map<number, string[]>();
  for (const line of lines) {
    const minute = Math.floor(Number(line.split(' ')[1]) / MINUTE_MS);
    const chunk = Math.floor((minute - FIRST) / choose.minutes);
    chunks.set(chunk, [...(chunks.get(chunk) ?? []), line]);
  }
  let prev = ZERO_HASH;
  const groups = [...chunks].sort(([a], [b]) => a - b).flatMap(([, chunk]) => splitByDay(chunk));
  return groups.flatMap((chunk, number): Delivery[] => {
    const bodies = bodiesOf(chunk);
    const minutes = minutesOf(chunk) ?? { first: FIRST, last: FIRST };
    const make = (ageS: number): Delivery => {
      const text = formatBatchText({
        origin,
        probe: key.name,
        epoch,
        number,
        prev,
        minutes,
        config: choose.config(number),
        clock: { boundMs: choose.bound(), ageS },
        tip: { size: 0, root },
        gaps: [],
        bodies: bodyRefs(bodies, sha256),
      });
      return {
        note: key.sign(text),
        probe: key.name,
        epoch,
        number,
        last: minutes.last,
        minutes,
        bodies,
      };
    };
    const first = make(0);
    prev = leafHashOfNote(first.note, sha256);
    return number === choose.twice ? [first, make(1)] : [first];
  });
}

async function evidenceOf(store: Store, folder: string, keys: readonly SigningKey[]): Promise<Evidence> {
  const commits = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 100_000));
  const bodies = new Map<string, string>();
  const blobs = folderBlobs(folder);
  const leaves: LoggedLeaf[] = [];
  for (const { index, note, hash, body, kind } of commits) {
    const parsed = parseNote(note);
    if ('error' in parsed) throw new Error(parsed.error);
    const key = keys.find(({ vkey }) => signerOfKey(vkey) === signerOf(note))?.vkey ?? '';
    leaves.push({ index, key, hash, text: parsed.text });
    if (body !== undefined) bodies.set(encodeBase64(sha256(utf8(body))), body);
    for (const line of kind === 'batch' ? parsed.text.split('\n') : []) {
      const [word, , , , bodyHash = ''] = line.split(' ');
      const bytes = word === 'body' ? await blobs.get(bodyName(bodyHash)) : undefined;
      if (bytes !== undefined) bodies.set(bodyHash, Buffer.from(bytes).toString());
    }
  }
  return { leaves, bodies };
}

/** By view, period and subject: every block that the shards have. */
async function blocksOf(slots: Slots, watched: Watched): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const shard of watched.shards.keys()) {
    for (const view of ['slots', 'totals', 'latency', 'latency-days', 'heads'] as const) {
      for (const { period, subject, block } of await slots.blocks(shard, view, 0, 1_000_000)) {
        all.set(`${view} ${period} ${subject}`, Buffer.from(block).toString('hex'));
      }
    }
  }
  return all;
}

/** Every plane equals what the rule says of the same commits; returns how many slots were known. */
async function compare(slots: Slots, watched: Watched, evidence: Evidence): Promise<number> {
  const range = { first: FIRST, last: FIRST + LENGTH - 1 };
  const reference = evaluate(evidence, range, sha256);
  let known = 0;
  for (const [plane, of] of [['', reference] as const, ...reference.regions]) {
    for (const [subject, { slots: expected, totals }] of [...of.monitors, ...of.nodes, ...of.services]) {
      const shard = watched.shardOf.get(subject.split('/')[0] ?? '') ?? '';
      const days = await slots.blocks(
        shard,
        'slots',
        dayOfMinute(range.first),
        dayOfMinute(range.last),
        subject,
      );
      const planes = new Map(days.map(({ period, block }) => [period, decodeDay(block).get(plane)]));
      const minutes = expected.map((_, i) => FIRST + i);
      const ours = minutes.map((minute) =>
        slotOfByte(planes.get(dayOfMinute(minute))?.slots[minute % MINUTES_PER_DAY] ?? 0),
      );
      expect({ plane, subject, slots: ours }).toEqual({ plane, subject, slots: expected });
      const counted = [...planes].map(([day, own]) =>
        own === undefined
          ? emptyTotals
          : totalsOfPlane(
              own,
              Math.max(0, range.first - day * MINUTES_PER_DAY),
              Math.min(MINUTES_PER_DAY - 1, range.last - day * MINUTES_PER_DAY),
            ),
      );
      expect({ plane, subject, totals: counted.reduce(addTotals, emptyTotals) }).toEqual({
        plane,
        subject,
        totals,
      });
      known += ours.filter((slot) => slot !== undefined && slot.state !== 'unknown').length;
    }
  }
  return known;
}

/** The same commits, read from the first one on into an empty store beside. */
async function fresh(
  store: Store,
  watched: Watched,
  blobs: Blobs,
  clock: Clock,
): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'highwater-slots-'));
  const scratch = openSqliteStore(folder);
  try {
    const slots = openSlots(watched, besideStore(store, scratch, 1_000_000), blobs, clock);
    await slots.beat();
    return await blocksOf(slots, watched);
  } finally {
    await scratch[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
}

/** Plays one scenario of choices; returns how many slots were known, up or down. */
async function play(choices: readonly number[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'highwater-slots-'));
  let next = 0;
  // A small generator over the choices, so that a shrunk scenario stays a scenario.
  const pick = (): number => {
    next += 1;
    const base = choices[next % choices.length] ?? 0;
    return base > 40 ? (base * 7 + next * 13) % 97 : base % 3;
  };
  const { configs, keys, renewed, operator } = world();
  const [before, changed] = configs;
  // What people do whose probe contradicted itself; it goes on in the epoch that its spool is in.
  const isRenewed = pick() % 2 === 0;
  const after: Config = {
    ...changed,
    probes: changed.probes.map((probe) =>
      isRenewed && probe.id === renewed.name ? { ...probe, key: renewed.vkey } : probe,
    ),
  };
  const { origin } = before;
  let now = (FIRST - 1) * MINUTE_MS;
  const clock: Clock = { now: () => now, monotonic: () => now };
  const bodiesFolder = join(folder, 'blobs');
  let blobs = folderBlobs(bodiesFolder);
  let store = openSqliteStore(folder);
  try {
    const project = (config: Config): string =>
      formatProjection(projectConfig(config, { seed, salt: 'salt' }, sha256));
    const hash0 = await declareLeaves(store, blobs, watch(before), operator, project(before), now);
    let watched = watch(before);
    let slots = openSlots(watched, store, blobs, clock);

    const hash1 = leafHashOfNote('placeholder', sha256);
    const deliveries = keys.flatMap((key) => {
      const lines = linesOf(before, key.name, pick);
      const again = lines
        .filter(() => pick() % 5 === 0)
        .map((line) => line.replace(' ok ', ' degraded ').replace(/ -$/, ' target.rpc.slow'));
      const config = (n: number): string => (n % 7 === 6 ? hash1 : hash0);
      const bound = (): number => [-1, 2_001][pick() % 17] ?? 5;
      // The second text of 2 comes before the change of configuration, that of 5 after it.
      const twice = [5, 2][pick() % 4] ?? -1;
      return [
        ...batchesOf(key, 0, lines, { minutes: 1, bound, config, twice }, origin),
        ...batchesOf(key, 1, again, { minutes: 3, bound: () => 5, config, twice: -1 }, origin),
      ];
    });
    const order = deliveries
      .map((delivery, i) => {
        const isSecond =
          deliveries[i - 1]?.number === delivery.number && deliveries[i - 1]?.probe === delivery.probe;
        return { delivery, at: delivery.last + (isSecond ? 4 : pick() % 4 === 0 ? pick() % 9 : 0) };
      })
      .sort((a, b) => a.at - b.at);

    const signedAnew = (note: string): string => {
      const parsed = parseNote(note);
      if ('error' in parsed) throw new Error(parsed.error);
      return renewed.sign(parsed.text);
    };
    // A probe's clock may be ahead: batches reach up to two minutes past the collector's.
    const lead = Math.min(2, pick() % 4);
    const halfway = order.findLastIndex(({ at }) => at === FIRST + 8);
    for (const [i, { delivery, at }] of order.entries()) {
      now = Math.max(now, (at + 1 - lead) * MINUTE_MS + (pick() % 30) * 1_000);
      const seen = await store.read(LOG_SHARD, (tx) =>
        tx.batches(delivery.probe, delivery.epoch, delivery.number),
      );
      const { probe, epoch, number, bodies } = delivery;
      const note =
        isRenewed && i > halfway && probe === renewed.name ? signedAnew(delivery.note) : delivery.note;
      if (seen.length === 0) {
        for (const ref of bodyRefs(bodies, sha256)) {
          await blobs.putIfAbsent(bodyName(ref.hash), utf8(bodies.get(ref.service) ?? ''));
        }
      }
      const commit = {
        kind: 'batch',
        at: now,
        note,
        hash: leafHashOfNote(note, sha256),
        batch: { probe, epoch, number, minutes: delivery.minutes },
      } as const;
      await store.transact(LOG_SHARD, (tx) => tx.addCommit(commit));
      if (pick() % 3 === 0) await slots.beat();
      if (pick() % 11 === 0) await slots.flush();
      const isHalfway = i === halfway;
      if (isHalfway && (isRenewed || pick() % 4 !== 0)) {
        watched = watch(after);
        await declareLeaves(store, blobs, watched, operator, project(after), now);
      }
      if (isHalfway || pick() % 17 === 0) {
        await store[Symbol.asyncDispose]();
        store = openSqliteStore(folder);
        blobs = folderBlobs(bodiesFolder);
        slots = openSlots(watched, store, blobs, clock);
      }
    }
    now = Math.max(now, (FIRST + LENGTH + 20) * MINUTE_MS + CLOSE_AFTER_MS);
    await slots.beat();
    const evidence = await evidenceOf(store, bodiesFolder, [...keys, renewed, operator]);
    const known = await compare(slots, watched, evidence);
    // Whoever reads the same commits at once has the same bytes; so has who wrote them, and reads them again.
    const made = await blocksOf(slots, watched);
    await slots.flush();
    expect(await blocksOf(slots, watched)).toEqual(made);
    const again = openSlots(watched, store, blobs, clock);
    await again.beat();
    expect(await blocksOf(again, watched)).toEqual(made);
    expect(await fresh(store, watched, folderBlobs(bodiesFolder), clock)).toEqual(made);
    return known;
  } finally {
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
}

describe('slots made bit by bit', () => {
  it(
    'equal the rule over the same commits',
    { timeout: 120_000 + 10_000 * Number(process.env['SLOT_RUNS'] ?? 0) },
    async () => {
      let known = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat({ max: 96 }), { minLength: 20, maxLength: 60 }), async (choices) => {
          known += await play(choices);
        }),
        // Shrinking is for a person who looks into it: it takes minutes.
        {
          numRuns: Number(process.env['SLOT_RUNS'] ?? 6),
          endOnFailure: process.env['SLOT_SHRINK'] === undefined,
        },
      );
      if (process.env['SLOT_RUNS'] !== undefined) console.log(`${known} slots known`);
      // A property over nothing but unknown slots would hold of anything.
      expect(known).toBeGreaterThan(20);
    },
  );
});
