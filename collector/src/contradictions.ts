/**
 * Tells people of a probe that signed two different batches under one number. It follows what the rule makes of the
 * commits (slots/ground.ts), not the requests, so that a crash or a restored backup loses none; one alarm an epoch.
 */
import type { Clock } from '@highwater/config/time.ts';
import type { Alarm } from '@highwater/config/wire.ts';
import { type AlarmState, clearAlarmIn, raiseAlarmIn } from './alarms.ts';
import type { EnrolledState } from './leaves/leaves.ts';
import { signerOf, signerOfKey } from './signer.ts';
import { voidedEpochs, type VoidedEpoch } from './slots/ground.ts';
import type { CommitRow, Store } from './store/store.ts';
import { HOUSE_SHARD, LOG_SHARD, type Watched } from './watched.ts';

export interface Contradictions {
  /** Raises what is new, clears what a new key has ended. Returns whether there was anything. */
  beat(): Promise<boolean>;
}

interface Found extends VoidedEpoch {
  readonly key: string;
  readonly batches: readonly CommitRow[];
  /** Whether the probe may still sign with the key that contradicted itself. */
  readonly enrolled: boolean;
}

function alarmOf({ key, probe, epoch, from, batches }: Found): Alarm {
  const hashes = batches.slice(0, 2).map(({ hash }) => hash);
  return {
    key,
    title: `Probe ${probe} signed two batches under one number`,
    because: `Epoch ${epoch}, number ${from}: both are kept as leaves, ${hashes.join(' and ')}. Either two machines use its key, or its disk went back in time. From this number on nothing that it signed in this epoch counts: its region is unknown there.`,
    remedy: `Two machines, or a key that may be known: stop them, make a new key (highwater probe keygen --id ${probe}) and put it in the configuration in place of the old one, which revokes that. One machine whose disk was restored: it begins a new epoch by itself when it is started with an empty spool; acknowledge this then.`,
  };
}

const PREFIX = 'contradiction ';

/** Of the probes that are declared; those that were revoked have no more to say. */
async function find(watched: Watched, store: Store): Promise<Found[]> {
  return store.read(LOG_SHARD, async (tx) => {
    const found: Found[] = [];
    for (const voided of await voidedEpochs(tx)) {
      const { probe, signer, epoch, from } = voided;
      const key = `${PREFIX}${probe} ${epoch}`;
      const rows = await tx.batches(probe, epoch, from);
      const batches = rows.filter(({ note }) => signerOf(note) === signer);
      const state = (await tx.getState('enrolled', probe))?.value as EnrolledState | undefined;
      const declared = watched.regionOf.has(probe) ? state?.key : undefined;
      const enrolled = declared !== undefined && signerOfKey(declared) === signer;
      found.push({ ...voided, key, batches, enrolled });
    }
    return found;
  });
}

export function openContradictions(watched: Watched, store: Store, clock: Clock): Contradictions {
  return {
    async beat() {
      const found = await find(watched, store);
      if (found.length === 0) return false;
      const rows = await store.read(HOUSE_SHARD, (tx) => tx.listState('alarm'));
      const known = new Map(rows.map(({ key, value }) => [key, value as AlarmState]));
      const raise = found.filter(({ key, enrolled }) => enrolled && !known.has(key));
      const clear = found.filter(({ key, enrolled }) => {
        const state = known.get(key);
        return !enrolled && state !== undefined && state.clearedAt === undefined;
      });
      if (raise.length + clear.length === 0) return false;
      await store.transact(HOUSE_SHARD, async (tx) => {
        const now = clock.now();
        // What happened stays so: it is over once somebody has taken it up, or the key is no longer in use.
        for (const each of raise) await raiseAlarmIn(tx, now, alarmOf(each), true);
        for (const { key } of clear) await clearAlarmIn(tx, now, key);
      });
      return true;
    },
  };
}
