/** What a spool keeps beside its journal: the epoch that was begun last, and notes whose number has two texts. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import type { Instant } from '@highwater/config/time.ts';
import { writeDurably } from './journal.ts';
import type { Marks } from './spool-records.ts';

const maxConflictFiles = 100;

/** The last epoch that was begun, from a file of its own; -1 when nothing is known. */
export function keptEpoch(dir: string): number {
  const file = join(dir, 'epoch');
  const kept = existsSync(file) ? Number(readFileSync(file, 'utf8').trim()) : NaN;
  return Number.isSafeInteger(kept) ? kept : -1;
}

export function keepEpoch(dir: string, epoch: number): void {
  writeDurably(join(dir, 'epoch'), `${epoch}\n`, dir);
}

/** At most so many; one of the same name is not replaced. */
export function keepConflict(
  dir: string,
  { name, note }: { readonly name: string; readonly note: string },
): void {
  const folder = join(dir, 'conflicts');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  if (existsSync(path) || readdirSync(folder).length >= maxConflictFiles) return;
  writeFileSync(path, note, { mode: 0o600 });
}

/** Where nothing is known, the clock gives a number above those of an earlier life whose disk was lost. */
export function epochAfter(known: number, now: Instant): number {
  return known >= 0 ? known + 1 : Math.floor(now / 1_000);
}

/** Whether somebody else signed before. Where that is not known of one of them, nothing says so. */
export function isOfOtherKey(marks: Marks, key: string | undefined): boolean {
  return key !== undefined && marks.key !== undefined && marks.key !== key;
}

/** Where the numbers stand when an epoch begins. */
export function marksOfEpoch(marks: Marks, { e: epoch, key }: { e: number; key?: string }): Marks {
  const fresh = { ...marks, epoch, frame: 0, number: 0, prev: ZERO_HASH, gaps: [] };
  if (key === undefined || key === marks.key) return fresh;
  return { ...fresh, key, since: epoch };
}
