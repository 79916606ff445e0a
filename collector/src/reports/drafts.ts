/** Drafts: unsigned, in no log, told to nobody, and kept for download for a day. */
import { stat } from 'node:fs/promises';
import { type Clock, DAY_MS, type Instant } from '@highwater/config/time.ts';
import type { ReportList } from '@highwater/config/wire.ts';
import type { Logger } from 'pino';
import { isCode } from '../store/blobs/durable.ts';
import { archivePath, draftName, removeReport, reportsIn } from './folder.ts';

export interface DraftParts {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly make: (month: string, name: string) => Promise<void>;
}

export interface Drafts {
  want(month: string): void;
  /** Makes those that are wanted, and lets go of old ones. */
  turn(): Promise<void>;
  list(): Promise<ReportList['drafts']>;
}

const PREFIX = draftName('');

export function openDrafts({ folder, clock, log, make }: DraftParts): Drafts {
  // Who wants one asks again: nothing is lost over a restart.
  const wanted = new Set<string>();
  const madeAt = new Map<string, Instant>();

  const each = async (): Promise<{ month: string; madeAt: Instant; bytes: number }[]> => {
    const names = (await reportsIn(folder)).filter((name) => name.startsWith(PREFIX));
    const found: { month: string; madeAt: Instant; bytes: number }[] = [];
    for (const name of names) {
      const known = await stat(archivePath(folder, name)).catch((error: unknown) => {
        // Let go of since its name was read.
        if (isCode(error, 'ENOENT')) return undefined;
        throw error;
      });
      if (known === undefined) continue;
      const { size, mtimeMs } = known;
      const month = name.slice(PREFIX.length);
      found.push({ month, madeAt: madeAt.get(month) ?? Math.floor(mtimeMs), bytes: size });
    }
    return found;
  };

  return {
    want: (month) => void wanted.add(month),
    async turn() {
      for (const month of wanted) {
        wanted.delete(month);
        try {
          // The one before stays until this one takes its name.
          await make(month, draftName(month));
          madeAt.set(month, clock.now());
        } catch (error) {
          log.error({ err: error, month }, 'draft-failed');
        }
      }
      for (const draft of await each()) {
        if (draft.madeAt + DAY_MS <= clock.now()) await removeReport(folder, draftName(draft.month));
      }
    },
    async list() {
      return (await each()).map((draft) => ({ ...draft, until: draft.madeAt + DAY_MS })).reverse();
    },
  };
}
