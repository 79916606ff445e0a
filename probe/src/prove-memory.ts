/** The newest checkpoint that was found consistent, in a file of its own: what no later one may contradict. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { parseCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { writeDurably } from './journal.ts';
import type { SeenCheckpoint } from './prove-check.ts';

export interface CheckpointMemory {
  readonly file: string;
  /** A file that held no checkpoint was set aside: what was seen before is not known any more. */
  readonly damaged: boolean;
  readonly seen: SeenCheckpoint | undefined;
  /** It survives a power cut when this returns. */
  keep(checkpoint: SeenCheckpoint): void;
}

/** `dir` is the probe's own folder. */
export function checkpointMemory(dir: string): CheckpointMemory {
  const file = join(dir, 'checkpoint');
  const isThere = existsSync(file);
  let seen = isThere ? checkpointIn(readFileSync(file, 'utf8')) : undefined;
  const damaged = isThere && seen === undefined;
  if (damaged) renameSync(file, `${file}.damaged`);
  return {
    file,
    damaged,
    get seen() {
      return seen;
    },
    keep(checkpoint) {
      writeDurably(file, checkpoint.note, dir);
      seen = checkpoint;
    },
  };
}

/** It was verified before it was kept. */
function checkpointIn(note: string): SeenCheckpoint | undefined {
  const parsed = parseNote(note);
  const checkpoint = 'error' in parsed ? parsed : parseCheckpointText(parsed.text);
  if ('error' in checkpoint) return undefined;
  const year = /\/(\d{4})$/.exec(checkpoint.origin)?.[1];
  return year === undefined
    ? undefined
    : { year: Number(year), size: checkpoint.size, root: checkpoint.root, note };
}
