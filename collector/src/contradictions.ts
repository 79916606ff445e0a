/**
 * Tells people of a probe that signed two different batches under one number. It follows what the rule makes of the
 * commits (slots/ground.ts), not the requests, so that a crash or a restored backup loses none. One alarm for each key
 * of a probe, however many epochs: who holds a stolen key must not bury other alarms under those of its own making.
 */
import { type Clock, HOUR_MS } from '@highwater/config/time.ts';
import type { Alarm } from '@highwater/config/wire.ts';
import { type AlarmState, clearAlarmIn, moreOfAlarmIn, raiseAlarmIn } from './alarms.ts';
import type { EnrolledState } from './leaves/leaves.ts';
import { signerOf, signerOfKey } from './signer.ts';
import { voidedEpochs, type VoidedEpoch } from './slots/ground.ts';
import type { CommitRow, ReadTx, Store } from './store/store.ts';
import { HOUSE_SHARD, LOG_SHARD, type Watched } from './watched.ts';

/** What came since is told, or told again after it was taken up, at most so often. */
const AGAIN_AFTER_MS = HOUR_MS;

export interface Contradictions {
  /** Raises what is new, clears what a new key has ended. Returns whether there was anything. */
  beat(): Promise<boolean>;
}

/** All that one key of a probe, which it may still sign with, has contradicted. */
interface Found {
  readonly key: string;
  readonly probe: string;
  readonly epochs: number;
  /** The last that was found. */
  readonly newest: VoidedEpoch;
  readonly batches: readonly CommitRow[];
}

function alarmOf({ key, probe, epochs, newest, batches }: Found): Alarm {
  const hashes = batches.slice(0, 2).map(({ hash }) => hash);
  const others = epochs === 1 ? '' : ` It has done so in ${epochs} epochs; this is the newest.`;
  return {
    key,
    title: `Probe ${probe} signed two batches under one number`,
    because: `Epoch ${newest.epoch}, number ${newest.from}: both are kept as leaves, ${hashes.join(' and ')}.${others} Either two machines use its key, or its disk went back in time. From this number on nothing that it signed in this epoch counts: its region is unknown there.`,
    remedy: `Two machines, or a key that may be known: stop them, make a new key (highwater probe keygen --id ${probe}) and put it in the configuration in place of the old one, which revokes that. One machine whose disk was restored: it begins a new epoch by itself when it is started with an empty spool; acknowledge this then.`,
  };
}

const PREFIX = 'contradiction ';

/** Of the probes that are declared, by their present keys; what was revoked has no more to say. */
async function find(watched: Watched, tx: ReadTx): Promise<Found[]> {
  const found = new Map<string, Omit<Found, 'batches'>>();
  const present = new Map<string, string | undefined>();
  for (const voided of await voidedEpochs(tx)) {
    const { probe, signer } = voided;
    if (!watched.regionOf.has(probe)) continue;
    if (!present.has(probe)) {
      const state = (await tx.getState('enrolled', probe))?.value as EnrolledState | undefined;
      present.set(probe, state && signerOfKey(state.key));
    }
    if (signer !== present.get(probe)) continue;
    const key = `${PREFIX}${signer.replace('+', ' ')}`;
    found.set(key, { key, probe, epochs: (found.get(key)?.epochs ?? 0) + 1, newest: voided });
  }
  return Promise.all(
    [...found.values()].map(async (each) => {
      const { probe, signer, epoch, from } = each.newest;
      const rows = await tx.batches(probe, epoch, from);
      return { ...each, batches: rows.filter(({ note }) => signerOf(note) === signer) };
    }),
  );
}

export function openContradictions(watched: Watched, store: Store, clock: Clock): Contradictions {
  return {
    async beat() {
      const found = await store.read(LOG_SHARD, (tx) => find(watched, tx));
      const rows = await store.read(HOUSE_SHARD, (tx) => tx.listState('alarm'));
      const known = new Map(rows.map(({ key, value }) => [key, value as AlarmState]));
      const now = clock.now();
      const raise = found.filter(({ key, epochs }) => {
        const state = known.get(key);
        if (state === undefined) return true;
        return epochs > (state.count ?? 0) && now - (state.countedAt ?? 0) >= AGAIN_AFTER_MS;
      });
      const keys = new Set(found.map(({ key }) => key));
      const clear = [...known].filter(
        ([key, { clearedAt }]) => key.startsWith(PREFIX) && !keys.has(key) && clearedAt === undefined,
      );
      if (raise.length + clear.length === 0) return false;
      await store.transact(HOUSE_SHARD, async (tx) => {
        // What happened stays so: it is over once somebody has taken it up, or the key is no longer in use.
        for (const each of raise) {
          const isNew = await raiseAlarmIn(tx, now, alarmOf(each), true, each.epochs);
          if (!isNew) await moreOfAlarmIn(tx, now, alarmOf(each), each.epochs);
        }
        for (const [key] of clear) await clearAlarmIn(tx, now, key);
      });
      return true;
    },
  };
}
