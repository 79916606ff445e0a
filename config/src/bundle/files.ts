/**
 * A report's bundle: all that it takes to count its figures again, as files by name. docs/reports.md describes each.
 *
 * The names come in one order, in which they lie in the archive and are read, so that nothing is held that can be let go:
 *
 *     range                              what is proven of what: month, and of each log where its part begins and ends
 *     keys                               verifier keys: of the operator, of the logs
 *     policy                             witnesses, and how many have to have cosigned (c2sp.org/tlog-policy), as formatPolicy writes it, without
 *                                        comments and addresses
 *     logs/YEAR/start.checkpoint         the log before the month's first batch (none where it begins with entry 0)
 *     logs/YEAR/end.checkpoint           the log as far as it was counted; the last log's with cosignatures of the policy's witnesses
 *     logs/YEAR/consistency              proof that the second begins with the first: hashes in base64, one a line
 *     logs/YEAR/frontier                 hashes of the full subtrees before the first entry that is here, widest first, likewise;
 *                                        these two are where a start checkpoint is, and may be empty; this one is where no entries follow
 *     leaves/YEAR/INDEX                  an earlier entry that still matters: configuration, key, maintenance, and batches
 *                                        that say from when those were in force
 *     leaves/YEAR/INDEX.tlog-proof       that it is in the log (c2sp.org/tlog-proof)
 *     logs/YEAR/entries/N                entries [256 N, 256 N + 256), or to the end, as an entry bundle of tlog-tiles
 *     configs/HASH                       projections that configurations commit to, named by their SHA-256 in hex and in its order;
 *                                        behind the entries, since only they say which there are
 *     bodies/DATE/SERVICE/NNN            the bodies of a service's batches of a UTC day, one after the other in the order of
 *                                        the log, cut at whole bodies when a file would be over 8 MiB
 *     report.json report.note report.tlog-proof
 *     report.consistency                 proof that the checkpoint of the one before continues the end of its year: hashes, one a line
 *     report.md report.csv README.md
 *     index                              where in an archive each file lies (archive-index.ts): no evidence, and nothing that a check asks for
 *
 * A file of bodies has no marks in it: what each batch commits to says how many bytes come next. Of bodies that are not here the
 * first file of the day says so in its first lines, `missing YEAR INDEX gone|private` (no line of a probe
 * begins so).
 */
import { bundlePath } from '../proof/tiles.ts';
import { formatDay } from '../time.ts';

/** Where a bundle's files come from: a folder, an archive, the page, or the collector that makes it. */
export interface BundleFiles {
  /**
   * The bytes of a file; undefined when there is none. Names are asked for in the order above, each once: what was passed
   * over can't be had any more. Rejects with BundleError when it can't be read or has over `maxBytes`.
   */
  read(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
}

/**
 * Place of an entry in the order of all logs: what was logged first counts first (CONTRACTS "In force"). Logs have fewer than 2^40
 * entries.
 */
export function orderOf(year: number, index: number): number {
  return year * 2 ** 40 + index;
}

/** What keeps a bundle from being read: names the file, and what to do. */
export class BundleError extends Error {
  override name = 'BundleError';
  readonly file: string;
  constructor(file: string, says: string, options?: ErrorOptions) {
    super(says, options);
    this.file = file;
  }
}

/** All may be there, and can't be read as it comes. */
export class OrderError extends BundleError {
  override name = 'OrderError';
}

/** What was given is something else than a bundle. */
export class NoBundle extends BundleError {
  override name = 'NoBundle';
}

/** A file of bodies is cut when it would be larger. */
export const BODIES_FILE_BYTES = 8 * 1024 * 1024;
/** Of one file: a body may be larger than what files are cut at, and so may a projection. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Of the small ones. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

export const names = {
  range: 'range',
  keys: 'keys',
  policy: 'policy',
  start: (year: number) => `logs/${year}/start.checkpoint`,
  end: (year: number) => `logs/${year}/end.checkpoint`,
  consistency: (year: number) => `logs/${year}/consistency`,
  frontier: (year: number) => `logs/${year}/frontier`,
  leaf: (year: number, index: number) => `leaves/${year}/${index}`,
  leafProof: (year: number, index: number) => `leaves/${year}/${index}.tlog-proof`,
  config: (hashHex: string) => `configs/${hashHex}`,
  /** `N` in the spelling of tlog-tiles, always of a full tile: the last one may hold fewer entries. */
  entries: (year: number, tile: number) => `logs/${year}/${bundlePath(tile, 256).replace('tile/', '')}`,
  bodies: (day: number, service: string, part: number) =>
    `bodies/${formatDay(day)}/${service}/${String(part).padStart(3, '0')}`,
  report: 'report.json',
  note: 'report.note',
  proof: 'report.tlog-proof',
  continues: 'report.consistency',
  markdown: 'report.md',
  csv: 'report.csv',
  readme: 'README.md',
  index: 'index',
} as const;
