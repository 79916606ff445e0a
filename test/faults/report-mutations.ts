/** Bundles in which something is not what it was: each has to be found, with its file and a reason. */
import {
  assembleEvidence,
  assembleReport,
  assembledLogs,
} from '@highwater/config/bundle/testing/assemble.ts';
import type { Assembly } from '@highwater/config/bundle/testing/assemble.ts';
import { filesOf } from '@highwater/config/bundle/testing/files.ts';
import { smallKey } from '@highwater/config/bundle/testing/small-config.ts';
import { type Checked, checkBundle } from '@highwater/config/bundle/check-bundle.ts';
import { names } from '@highwater/config/bundle/files.ts';
import { nodeChecker } from '@highwater/config/node-checker.ts';
import { TILE_WIDTH, encodeBundle } from '@highwater/config/proof/tiles.ts';
import { type Report, parseReport } from '@highwater/config/report/report.ts';
import { documentsOf } from '../fixtures/month/report.ts';

export type Files = ReadonlyMap<string, Uint8Array>;

export interface Mutation {
  readonly what: string;
  readonly files: Files;
}

export function check(files: Files): Promise<Checked> {
  return checkBundle(filesOf(files), nodeChecker());
}

/** One byte of one file is another: each file is as likely, whatever its size. */
export function changedByte(files: Files, random: () => number): Mutation {
  const all = [...files.keys()].filter((name) => (files.get(name)?.length ?? 0) > 0);
  const name = all[Math.floor(random() * all.length)] ?? '';
  const bytes = Uint8Array.from(files.get(name) ?? []);
  const at = Math.floor(random() * bytes.length);
  const [before, flip] = [bytes[at] ?? 0, 1 + Math.floor(random() * 255)];
  bytes[at] = before ^ flip;
  return { what: `${name} byte ${at}: ${before} ^ ${flip}`, files: new Map(files).set(name, bytes) };
}

export function* droppedFiles(files: Files): Generator<Mutation, void> {
  for (const name of files.keys()) {
    const left = new Map(files);
    left.delete(name);
    yield { what: `without ${name}`, files: left };
  }
}

/** Each of some two files stands where the other stood. */
export function swapped(files: Files, first: string, second: string): Mutation {
  const [a, b] = [files.get(first), files.get(second)];
  if (a === undefined || b === undefined) throw new Error(`no ${first} or ${second}`);
  return { what: `${first} and ${second} swapped`, files: new Map(files).set(first, b).set(second, a) };
}

/** A batch's text signed by a key of the probe's name that is not enrolled: in the entries alone, and with all made anew. */
export function resigned(assembly: Assembly, files: Files): Mutation[] {
  const [log, ...later] = assembly.logs;
  if (log === undefined) throw new Error('no log');
  const index = log.start + 1_000;
  const note = Buffer.from(log.entries[index] ?? []).toString('utf8');
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  const probe = /^probe (.+)$/m.exec(text)?.[1] ?? '';
  const entries = [...log.entries];
  entries[index] = Buffer.from(smallKey(probe, 'a stranger').sign(text));
  const tile = Math.floor(index / TILE_WIDTH);
  const own = encodeBundle(entries.slice(tile * TILE_WIDTH, (tile + 1) * TILE_WIDTH));
  const name = names.entries(log.year, tile);
  const forged = { ...assembly, logs: [{ ...log, entries }, ...later] };
  const report = { ...reportOf(files), logs: assembledLogs(forged) };
  return [
    { what: 'a batch signed by a stranger', files: new Map(files).set(name, own) },
    {
      what: 'a batch signed by a stranger, the log and the report made anew',
      files: new Map([...assembleEvidence(forged), ...assembleReport(forged, report, documentsOf(report))]),
    },
  ];
}

/** A figure is raised by one, and all that is made of the evidence is made and signed anew by the operator. */
export function raised(assembly: Assembly, files: Files, count = Infinity): Mutation[] {
  const figures: readonly [string, (report: Report) => void][] = [
    ['up', ({ counted }) => raise(counted.services[0]?.subjects[0]?.totals, 'up')],
    ['succeeded', ({ counted }) => raise(counted.services[1]?.subjects[2]?.totals, 'succeeded')],
    ['latency', ({ counted }) => raise(counted.services[0]?.latency[0], 'p95Tenths')],
    ['lines of a probe', ({ counted }) => raise(counted.probes[0], 'lines')],
    ['maintenance', ({ logged }) => raise(logged.maintenance[0], 'countsFrom')],
  ];
  return figures.slice(0, count).map(([what, change]) => {
    const report = structuredClone(reportOf(files));
    change(report);
    const made = assembleReport(assembly, report, documentsOf(report));
    return { what: `${what} raised`, files: new Map([...files, ...made]) };
  });
}

function raise<Key extends string>(of: Record<Key, number> | undefined, key: Key): void {
  if (of === undefined) throw new Error(`the report has no ${key} to be raised`);
  of[key] += 1;
}

function reportOf(files: Files): Report {
  const read = parseReport(Buffer.from(files.get(names.report) ?? []).toString('utf8'));
  if ('error' in read) throw new Error(read.error);
  return read;
}
