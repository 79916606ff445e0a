/** What a spool keeps beside its journal: the epoch that was begun last, and notes whose number has two texts. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from './journal.ts';

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
