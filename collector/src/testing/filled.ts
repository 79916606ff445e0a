/** A data folder as a collector leaves it that has run for some time: all that is in it came through its calls. */
import { join } from 'node:path';
import { sha256 } from '@highwater/config/keys.ts';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { readCopy } from '../store/sqlite/sqlite-store.ts';
import { LOG_SHARD } from '../watched.ts';
import type { Region, TestHouse } from './config.ts';
import { openHouse } from './house.ts';
import { player, type SignedBatch } from './player.ts';

export interface Filling {
  /** The minute in which the collector is started first; whoever has run here before is left far behind by it. */
  readonly from: number;
  readonly minutes: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Of the probes: each time another one. */
  readonly epoch?: number;
  /** Batches that come so many minutes late, of this share. */
  readonly late?: { readonly share: number; readonly minutes: number };
}

/** A usual answer, now and then a fault; heads with their height. */
function answerOf(monitor: string, dueAt: number, random: () => number): string {
  const latency = Math.round(200 + random() * 800);
  const kind = random();
  if (kind < 0.04) return `fail ${latency} target.connect.refused`;
  if (kind < 0.06) return `skipped 0 probe.loop.late`;
  if (kind < 0.08) return `degraded ${latency} target.rpc.slow`;
  if (!monitor.endsWith('/head')) return `ok ${latency} -`;
  const height = Math.floor(dueAt / 12_000);
  return `ok ${latency} - bt=${height * 12_000} h=${height} id=${(height % 4_294_967_296).toString(16).padStart(8, '0')}`;
}

/** Fills a folder with what three probes see; returns what was acknowledged: the bodies by their hash (base64). */
export async function fill(
  dataDir: string,
  { config, keys }: TestHouse,
  { from, minutes, random, epoch = 0, late = { share: 0.1, minutes: 3 } }: Filling,
): Promise<Map<string, string>> {
  let now = (from - 1) * MINUTE_MS;
  const house = await openHouse(config, dataDir, { now: () => now, monotonic: () => now });
  const acknowledged = new Map<string, string>();
  const deliver = async ({ note, bodies, batch }: SignedBatch): Promise<void> => {
    const body = JSON.stringify({ note, bodies: Object.fromEntries(bodies) });
    const answer = await house.post('/v1/batches', body, 'application/json');
    if (answer.status !== 200) throw new Error(`a batch: ${answer.status} ${await answer.text()}`);
    await answer.body?.cancel();
    for (const { service, hash } of batch.bodies) acknowledged.set(hash, bodies.get(service) ?? '');
  };
  try {
    const { seed, hash } = await readCopy(join(dataDir, 'collector', 'store.db'), LOG_SHARD, async (tx) => ({
      seed: (await tx.meta('seed')) ?? '',
      hash: (await tx.lastOfKind('config'))?.hash ?? '',
    }));
    const probes = (Object.keys(keys) as Region[]).map((region) =>
      player(config.origin, keys[region], epoch),
    );
    const waiting: { readonly at: number; readonly batch: SignedBatch }[] = [];
    for (let minute = from; minute < from + minutes; minute += 1) {
      now = (minute + 1) * MINUTE_MS + 1_000;
      for (const probe of probes) {
        const lines = config.monitors.flatMap(({ id, intervalMs }) => {
          const phase = phaseMs(seed, id, probe.id, intervalMs, sha256);
          const due: string[] = [];
          for (
            let at = nextDueAt(minute * MINUTE_MS - 1, phase, intervalMs);
            at < (minute + 1) * MINUTE_MS;
          ) {
            due.push(`${id} ${at} ${answerOf(id, at, random)}`);
            at = nextDueAt(at, phase, intervalMs);
          }
          return due;
        });
        probe.frame(lines);
        const batch = probe.batch({ config: hash, minute });
        waiting.push({ at: minute + (random() < late.share ? late.minutes : 0), batch });
      }
      for (const each of waiting.filter(({ at }) => at <= minute)) await deliver(each.batch);
      waiting.splice(0, waiting.length, ...waiting.filter(({ at }) => at > minute));
    }
    for (const { batch } of waiting) await deliver(batch);
    now = (from + minutes + 20) * MINUTE_MS;
    // Whoever asks for a slot makes the follower come so far.
    for (const { id } of config.monitors) {
      await house.json(`/v1/why?monitor=${encodeURIComponent(id)}&at=${(from + minutes - 1) * MINUTE_MS}`);
    }
  } finally {
    await house.stop();
  }
  return acknowledged;
}
