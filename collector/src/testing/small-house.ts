/** A small house whose probes' batches are committed as they are given, for tests of what follows the commits. */
import { generateSigningKey, sha256, type SigningKey } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { projectConfig } from '@highwater/config/project.ts';
import { bodiesOf, bodyRefs, formatBatchText, minutesOf } from '@highwater/config/proof/batch.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { emptyRoot, leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { formatProjection } from '@highwater/config/proof/projection.ts';
import { type Clock, MINUTE_MS } from '@highwater/config/time.ts';
import { declareLeaves } from '../leaves/leaves.ts';
import type { Slots } from '../slots/slots.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { testHouse } from './config.ts';
import { memoryBlobs } from './memory-blobs.ts';

/** Two minutes before a midnight that begins a month and a year: 2026-01-01. */
export const FIRST = Date.UTC(2026, 0, 1) / MINUTE_MS - 2;
/** Minutes that are played. */
export const LENGTH = 5;
/** When all of them are over. */
export const NOW = (FIRST + LENGTH + 30) * MINUTE_MS;
export const seed = '000102030405060708090a0b0c0d0e0f';
const root = encodeBase64(emptyRoot(sha256));
const views = ['slots', 'totals', 'latency', 'latency-days', 'heads'] as const;

const house = testHouse(30_000);
/** Windows of one and two minutes, and one that is not waited for. */
const usual = (id: string): number =>
  id.endsWith('jsonrpc') ? 90_000 : id.startsWith('web') ? 1_200_000 : 30_000;

export function smallConfig(every = usual): Config {
  return {
    ...house.config,
    services: house.config.services.filter(({ id }) => id !== 'hidden'),
    monitors: house.config.monitors
      .filter(({ service }) => service !== 'hidden')
      .map((monitor) => ({ ...monitor, intervalMs: every(monitor.id), timeoutMs: 5_000 })),
  };
}

export const config = smallConfig();
/** Those that send; the third region's probe is enrolled and silent. */
export const keys: readonly SigningKey[] = [house.keys.eu, house.keys.us];
export const watched = watch(config);
export const operator = generateSigningKey(config.origin);
export const blobs = memoryBlobs();

/** Leaf hash of the configuration, in a store whose log has it and the probes' enrolments. */
export async function declare(store: Store, by: Config = config, from = FIRST): Promise<string> {
  const projection = formatProjection(projectConfig(by, { seed, salt: 'salt' }, sha256));
  return declareLeaves(store, blobs, watch(by), operator, projection, (from - 1) * MINUTE_MS);
}

export const said = [
  'ok 100 - h=70',
  'ok 121 - h=71 m.eth_call=42',
  'degraded 900 target.rpc.slow',
  'fail 5 target.connect.refused',
  'fail 7 target.head.old',
  'skipped 0 probe.loop.late',
  'ok 100 - late=16000',
  'ok 100 - h=70 re=1',
] as const;

export interface Line {
  readonly probe: number;
  readonly minute: number;
  readonly text: string;
}

/** Every due time of every monitor; what was seen at each is a number of `choices`, silence beyond the table. */
export function linesOf(choices: readonly number[], by: Config = config): Line[] {
  const lines: Line[] = [];
  let next = 0;
  for (const [probe, { name }] of keys.entries()) {
    for (const { id, intervalMs } of by.monitors) {
      const phase = phaseMs(seed, id, name, intervalMs, sha256);
      for (let at = nextDueAt(FIRST * MINUTE_MS - 1, phase, intervalMs); at < (FIRST + LENGTH) * MINUTE_MS;) {
        const text = said[choices[next++ % choices.length] ?? 0];
        if (text !== undefined)
          lines.push({ probe, minute: Math.floor(at / MINUTE_MS), text: `${id} ${at} ${text}` });
        at = nextDueAt(at, phase, intervalMs);
      }
    }
  }
  return lines;
}

export interface Sent {
  readonly probe: number;
  readonly epoch: number;
  readonly number: number;
  readonly lines: readonly string[];
  /** Which of two texts under one number. */
  readonly ageS?: number;
  /** In place of the probe's. */
  readonly signer?: SigningKey;
}

/** Adds a batch to the log with its bodies; one that is there already is left alone. @param configHash what the probe ran */
export async function commit(store: Store, configHash: string, sent: Sent): Promise<void> {
  const { probe, epoch, number, lines, ageS = 0, signer } = sent;
  const key = signer ?? keys[probe];
  if (key === undefined) throw new RangeError(`no probe ${probe}`);
  const bodies = bodiesOf(lines);
  const minutes = minutesOf(lines) ?? { first: FIRST, last: FIRST };
  const refs = bodyRefs(bodies, sha256);
  const note = key.sign(
    formatBatchText({
      origin: config.origin,
      probe: key.name,
      epoch,
      number,
      prev: ZERO_HASH,
      minutes,
      config: configHash,
      clock: { boundMs: 5, ageS },
      tip: { size: 0, root },
      gaps: [],
      bodies: refs,
    }),
  );
  const batch = { probe: key.name, epoch, number, minutes };
  const held = refs.map(({ service, hash }) => ({
    service,
    hash,
    shown: 'public' as const,
    text: bodies.get(service) ?? '',
  }));
  await store.transact(LOG_SHARD, async (tx) => {
    const hash = leafHashOfNote(note, sha256);
    if ((await tx.commitByHash(hash)) !== undefined) return;
    const index = await tx.addCommit({ kind: 'batch', at: NOW, note, hash, batch });
    await tx.addBodies(index, held);
  });
}

/** A clock that shows what is asked for. */
export const clockAt = (now: () => number): Clock => ({ now, monotonic: now });

/** By view, period and subject. */
export async function blocksOf(slots: Slots): Promise<Record<string, string>> {
  const all: [string, string][] = [];
  for (const shard of watched.shards.keys()) {
    for (const view of views) {
      for (const { period, subject, block } of await slots.blocks(shard, view, 0, 1_000_000)) {
        all.push([`${view} ${period} ${subject}`, Buffer.from(block).toString('hex')]);
      }
    }
  }
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}
