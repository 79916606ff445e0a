/** The log at work: what it goes by is in store and blobs, so that a restart loses nothing and a crash is a restart. */
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { emptyRoot } from '@highwater/config/proof/leaf-hash.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { LogStatus } from '@highwater/config/wire.ts';
import { mutex } from '../mutex.ts';
import { LOG_SHARD } from '../watched.ts';
import { openEvidence } from './evidence.ts';
import { checkpointBlob, readTile } from './files.ts';
import { beginYear, keyOf } from './keys.ts';
import type { Log, LogParts } from './log.ts';
import { merge, UNSWEPT } from './merge.ts';
import { catchUp, publish, readPublished, withLines } from './published.ts';
import { Refusal, RESTORE } from './refusal.ts';
import { indexOf, logOf, readStanding, readYears, type Standing, yearOf } from './sequence.ts';
import { sweep } from './sweep.ts';

/** The alarm of a log that nothing is signed of any more. */
export const REFUSED_ALARM = 'log.refused';

interface Refused {
  readonly since: Instant;
  readonly because: string;
  readonly remedy: string;
}

/** Opens the log; writes nothing. */
export async function openLog(parts: LogParts): Promise<Log> {
  const { origin, store, blobs, clock } = parts;
  const alone = mutex();
  const evidence = await openEvidence(store, blobs, clock);
  /** What witnesses said that they know, by who and year. In memory alone: it is not signed, and is said again. */
  const toldMore = new Map<string, { readonly from: string; readonly refusal: Refusal }>();
  let standing: Standing = await readStanding(store);
  let refused: Refused | undefined;
  let isCleared = false;
  /** By year: partial files of what is full before it are gone. */
  const sweptTo = new Map<number, number>();

  const read = async (): Promise<Standing> => {
    standing = await readStanding(store);
    return standing;
  };

  const demandOneHistory = (): void => {
    evidence.demandNone();
    for (const { refusal } of toldMore.values()) throw refusal;
  };

  const refuse = (refusal: Refusal): void => {
    if (refused?.because === refusal.message) return;
    refused = { since: refused?.since ?? clock.now(), because: refusal.message, remedy: refusal.remedy };
    const { because, remedy } = refused;
    parts.log.error({ because, remedy }, 'log-refuses-to-sign');
    parts.alarm({ key: REFUSED_ALARM, title: 'The log is not signed any more', because, remedy });
    isCleared = false;
  };
  const goesOn = (): void => {
    if (refused !== undefined) parts.log.info({ since: refused.since }, 'log-signs-again');
    refused = undefined;
    if (!isCleared) parts.cleared(REFUSED_ALARM);
    isCleared = true;
  };
  /** What stops the signing is told and waits for a person; anything else is tried again. */
  const orRefuse = async (work: () => Promise<boolean>): Promise<boolean> => {
    try {
      demandOneHistory();
      const done = await work();
      // It may have been shown meanwhile.
      demandOneHistory();
      return done;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(error);
      return false;
    }
  };

  /** Begins the log that the next commit lies in, where that is none yet. All before it is signed and published. */
  const begin = async (): Promise<void> => {
    const { current, last, next } = await read();
    if (next === undefined || (current !== undefined && yearOf(next.at) <= current.year)) return;
    const carried = last === undefined ? {} : { carried: last.note };
    await beginYear({ ...parts, origin }, yearOf(next.at), { firstCommit: next.index, ...carried });
    await read();
  };

  const signNext = async (): Promise<boolean> => {
    const { current, last } = standing;
    if (current === undefined) return false;
    const key = await keyOf(parts, current, last !== undefined);
    if (key === undefined) {
      await read();
      return signNext();
    }
    const signed = await merge({ ...parts, demandOneHistory }, current, last, key);
    if (signed === undefined) return false;
    await publish(blobs, signed);
    await read();
    await sweepTo(current.year, signed.size);
    return true;
  };

  const sweepTo = async (year: number, size: number): Promise<void> => {
    const from = sweptTo.get(year) ?? Math.max(0, size - UNSWEPT);
    await sweep(blobs, year, from, size);
    sweptTo.set(year, size);
  };

  /** What a crash left between keeping a checkpoint and publishing it, and between that and the sweep. */
  const settle = async (): Promise<boolean> => {
    const { current, last } = await read();
    if (current === undefined) return false;
    const published = await catchUp(store, blobs, current, last);
    if (last !== undefined) await sweepTo(current.year, last.size);
    return published;
  };

  return {
    async ready() {
      await alone(() =>
        orRefuse(async () => {
          await begin();
          const { current, last } = standing;
          if (current !== undefined) await keyOf(parts, current, last !== undefined);
          await read();
          return false;
        }),
      );
    },

    beat: () =>
      alone(async () => {
        const published = await orRefuse(async () => {
          const caughtUp = await settle();
          await begin();
          const done = standing.pending > 0 ? (await signNext()) || caughtUp : caughtUp;
          demandOneHistory();
          // Only a whole turn says so: what a merge found wrong is not looked at by anything else.
          goesOn();
          return done;
        });
        if (refused !== undefined) await read();
        return published;
      }),

    status(): LogStatus {
      const { current, last, pending } = standing;
      const year = current?.year ?? yearOf(clock.now());
      return {
        origin: `${origin}/${year}`,
        year,
        key: current?.vkey ?? '',
        size: last?.size ?? 0,
        root: last?.root ?? encodeBase64(emptyRoot(sha256)),
        ...(last === undefined ? {} : { signedAt: last.at }),
        pending,
        ...(refused === undefined ? {} : { refused }),
        witnesses: [],
      };
    },

    async shown(note, from) {
      if (!(await evidence.shown(note, from))) return;
      await orRefuse(async () => false);
    },

    async ahead(from, size, year) {
      const signed = await store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(year));
      if (size <= (signed?.size ?? 0)) return void toldMore.delete(`${from} ${year}`);
      const refusal = new Refusal(
        `${from} knows ${size} entries of ${origin}/${year}, and this store signed ${signed?.size ?? 0}`,
        `${RESTORE}; if ${from} is wrong, take it out of the configuration (highwater config apply)`,
      );
      toldMore.set(`${from} ${year}`, { from, refusal });
      await orRefuse(async () => false);
    },

    level(from, year) {
      toldMore.delete(`${from} ${year}`);
    },
    heedOnly(sources) {
      for (const [id, { from }] of toldMore) if (!sources.includes(from)) toldMore.delete(id);
    },

    get years() {
      return standing.years.map(({ year, vkey }) => ({ year, key: vkey }));
    },
    get keys() {
      return standing.years.map(({ vkey }) => vkey);
    },
    tile: (year, path) => readTile(blobs, year, path),
    checkpoint: (year) => readPublished(blobs, year),
    place: (commit) =>
      store.read(LOG_SHARD, async (tx) => {
        const log = logOf(await readYears(tx), commit);
        const last = log && (await tx.lastCheckpoint(log.year));
        if (log === undefined || last === undefined || indexOf(log, commit) >= last.size) return undefined;
        return { year: log.year, index: indexOf(log, commit) };
      }),
    cosigned: (year, size, lines) =>
      alone(async () => {
        const published = await readPublished(blobs, year);
        const log = standing.years.find((each) => each.year === year);
        if (published === undefined || log === undefined || lines.length === 0) return;
        const signed = await store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(year));
        if (signed?.size !== size || !published.startsWith(signed.note)) return;
        const more = withLines(published, lines);
        if (more !== published) await blobs.replace(checkpointBlob(year), utf8(more));
      }),
  };
}
