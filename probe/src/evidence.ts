/**
 * From observations to frames and batches in time: a line is journaled in the turn of the event loop in which it ends,
 * at most one frame a second is spooled of those that came, a batch when a minute or a configuration closes; each is
 * synced before it is sent.
 */
import type { Logger } from 'pino';
import { dueMinuteOf } from '@highwater/config/proof/batch.ts';
import { noSalts, type Salts } from '@highwater/config/proof/body-hash.ts';
import { minuteOf, MINUTE_MS, type Instant } from '@highwater/config/time.ts';
import { type Closing, type Identity, type Known, spoolBatches, spoolFrame } from './sign.ts';
import type { NewLine } from './spool-records.ts';
import { mostAtOnce, type Spool } from './spool.ts';

export interface EvidenceOptions {
  readonly spool: Spool;
  readonly log: Logger;
  now(): Instant;
  monotonic(): number;
  clock(): Known['clock'];
  tip(): Known['tip'];
  /** Something was spooled and synced. */
  ready(): void;
}

export interface Evidence {
  /**
   * Who signs, under which configuration, and the salts of its private services; what was seen before is closed under the
   * old one.
   */
  assigned(identity: Identity, config: string, salts?: Salts): void;
  /** It is journaled before this turn of the event loop is over: that is what a kill may cost. */
  add(line: string, detail: string | undefined): void;
  /** Frames what is left; resolves when it is durable. */
  drain(): Promise<void>;
}

interface Signer {
  readonly identity: Identity;
  readonly config: string;
  readonly salts: Salts;
}

const frameEveryMs = 1_000;
/** Lines that end together go together. */
const gatherMs = 15;

export function keepEvidence(options: EvidenceOptions): Evidence {
  const { spool, log } = options;
  let signer: Signer | undefined;
  let closings: Closing[] = [];
  /** Ended in this turn of the event loop, and not journaled yet. */
  let ended: NewLine[] = [];
  let journaling: NodeJS.Immediate | undefined;
  let minute = minuteOf(options.now());
  let framedAt = -Infinity;
  let flushing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let minuteTimer: NodeJS.Timeout | undefined;

  /** Few writes for all that ended together: a write for each costs more than making the line. */
  const journal = () => {
    clearImmediate(journaling);
    journaling = undefined;
    if (ended.length === 0) return;
    const lines = ended;
    ended = [];
    for (let from = 0; from < lines.length; from += mostAtOnce) {
      const together = lines.slice(from, from + mostAtOnce);
      try {
        spool.addAll(together);
      } catch (thrown) {
        // A full disk costs what it costs, and no more than that; it must not stop the schedule.
        log.error({ err: thrown, lines: together.length }, 'observation.lost');
      }
    }
    plan();
  };

  const close = (closed: number, { config, salts }: Signer) => {
    journal();
    closings.push({ through: spool.next.seq - 1, minute: closed, config, salts });
    plan();
  };

  const watchMinute = () => {
    const now = options.now();
    if (minuteOf(now) !== minute) {
      if (signer) close(minute, signer);
      minute = minuteOf(now);
    }
    // Short steps: the wall clock may jump, and a timer does not notice.
    const left = MINUTE_MS - (now % MINUTE_MS);
    minuteTimer = setTimeout(watchMinute, Math.min(left, 5_000));
  };

  const plan = () => {
    if (timer ?? flushing ?? !signer) return;
    if (spool.unframed.length === 0 && closings.length === 0) return;
    const wait = Math.max(gatherMs, framedAt + frameEveryMs - options.monotonic());
    timer = setTimeout(() => {
      timer = undefined;
      void flush();
    }, wait);
  };

  const flush = (): Promise<void> => {
    flushing ??= spoolNow()
      .catch((thrown: unknown) => log.error({ err: thrown }, 'spool.failed'))
      .finally(() => {
        flushing = undefined;
        plan();
      });
    return flushing;
  };

  const spoolNow = async () => {
    journal();
    if (!signer) return;
    // Also after a failure: a full disk is not asked more often than once a second.
    if (spool.unframed.length > 0) framedAt = options.monotonic();
    spoolFrame(spool, signer.identity);
    for (let [closing] = closings; closing && isFramed(closing); [closing] = closings) {
      spoolBatches(spool, signer.identity, closing, { clock: options.clock(), tip: options.tip() });
      closings = closings.slice(1);
    }
    await spool.sync();
    options.ready();
  };

  const isFramed = (closing: Closing) => (spool.unframed[0]?.seq ?? Infinity) > closing.through;

  watchMinute();
  return {
    assigned(identity, config, salts = noSalts) {
      journal();
      const now = minuteOf(options.now());
      // After a restart: a minute that closed while nobody was there to see it.
      const isOverdue = !signer && spool.unbatched.some((line) => dueMinuteOf(line.text) < now);
      const next = { identity, config, salts };
      const isOther = signer !== undefined && signer.config !== config && spool.unbatched.length > 0;
      if (isOverdue) close(now - 1, next);
      if (isOther) close(now, signer ?? next);
      signer = next;
      plan();
    },
    add(line, detail) {
      ended.push({ text: line, detail });
      journaling ??= setImmediate(journal);
    },
    async drain() {
      clearTimeout(minuteTimer);
      journal();
      await flushing;
      // More than one frame holds may be left; a disk that takes none is not asked again.
      let before: number;
      do {
        before = spool.unframed.length;
        clearTimeout(timer);
        timer = undefined;
        await flush();
      } while (spool.unframed.length > 0 && spool.unframed.length < before);
      // Whoever stops it closes the spool next.
      clearTimeout(timer);
    },
  };
}
