/**
 * Puts a bundle together for tests, in its order (files.ts), from logs that are held in memory: apart from what the
 * collector does, so that the two can be held against each other.
 */
import { type SigningKey, type WitnessSigningKey, sha256 } from '../../keys.ts';
import { type Batch, parseBatchText } from '../../proof/batch.ts';
import { decodeUtf8, encodeBase64, encodeHex, utf8 } from '../../proof/bytes.ts';
import { leafHashOfNote } from '../../proof/leaf-hash.ts';
import { parseConfigLeaf } from '../../proof/leaves.ts';
import { parseNote } from '../../proof/note.ts';
import { type Policy, NO_QUORUM } from '../../proof/policy.ts';
import { type RuleConfig, parseProjection } from '../../proof/projection.ts';
import { formatReportLeaf } from '../../proof/report-leaf.ts';
import { daysOfMonth, parseMonth } from '../../proof/rule/period.ts';
import { TILE_WIDTH, encodeBundle } from '../../proof/tiles.ts';
import { type Report, formatReport } from '../../report/report.ts';
import { dayOfMinute } from '../../time.ts';
import { bundledPolicy } from '../bundled.ts';
import { BODIES_FILE_BYTES, names } from '../files.ts';
import { formatKeys } from '../keys.ts';
import { type MissingWhy, cutAt, isPublished } from '../published.ts';
import { type Range, formatRange } from '../range.ts';
import { formatHashes } from '../tree.ts';
import { type File, TestTree, testLeafHash, text, treeFiles } from './tree-files.ts';

export interface AssembledLog {
  readonly year: number;
  /** `ORIGIN/YEAR` */
  readonly key: SigningKey;
  /** Notes, from entry 0 on; there may be more than `size`. */
  readonly entries: readonly Uint8Array[];
  readonly start: number;
  readonly size: number;
}

export interface Assembly {
  readonly month: string;
  readonly origin: string;
  readonly operator: SigningKey;
  /** By year. */
  readonly logs: readonly AssembledLog[];
  /** Logs of years before, of which no batch is of the month: their leaves may matter. */
  readonly earlier?: readonly AssembledLog[];
  readonly projections: readonly string[];
  /** A text says why there is none. */
  body(year: number, index: number, service: string): Uint8Array | MissingWhy;
  /** Witnesses of the policy; each that has a key here cosigns the ends. */
  readonly policy?: Policy;
  readonly witnesses?: readonly WitnessSigningKey[];
  readonly before?: Range['before'];
}

export interface Documents {
  readonly markdown: string;
  readonly csv: string;
  readonly readme: string;
}

export type { File };

/** The files up to those that are made of them. */
export function* assembleEvidence(a: Assembly): Generator<File, void> {
  const leaves = earlierLeaves(a);
  const range: Range = {
    month: a.month,
    origin: a.origin,
    trees: a.logs.map(({ year, start, size }) => ({ year, start, size })),
    leaves: leaves.map(({ log, index }) => ({ year: log.year, index })),
    before: a.before ?? [],
  };
  yield text(names.range, formatRange(range));
  const keys = [...(a.earlier ?? []), ...a.logs].map(({ year, key }) => ({ year, vkey: key.vkey }));
  yield text(names.keys, formatKeys({ operator: a.operator.vkey, logs: keys }));
  const policy = a.policy ?? { logs: [], witnesses: [], groups: [], quorum: NO_QUORUM };
  const logs = policy.logs.length > 0 ? policy.logs : a.logs.map(({ key }) => ({ vkey: key.vkey }));
  yield text(names.policy, bundledPolicy({ ...policy, logs }));
  const last = a.logs.at(-1);
  for (const log of a.logs) yield* treeFiles(treeOf(log), log, log === last ? a.witnesses : []);
  for (const { log, index } of leaves) {
    const tree = treeOf(log);
    yield [names.leaf(log.year, index), log.entries[index] ?? new Uint8Array()];
    yield text(names.leafProof(log.year, index), tree.proofOf(index, log.size));
  }
  for (const { year, start, size, entries } of a.logs) {
    if (start === size) continue;
    for (let tile = Math.floor(start / TILE_WIDTH); tile * TILE_WIDTH < size; tile += 1) {
      const end = Math.min(size, (tile + 1) * TILE_WIDTH);
      yield [names.entries(year, tile), encodeBundle(entries.slice(tile * TILE_WIDTH, end))];
    }
  }
  const configs = a.projections.map((projection): [string, string] => [
    encodeHex(sha256(utf8(projection))),
    projection,
  ]);
  for (const [hash, projection] of new Map(configs.sort(([x], [y]) => (x < y ? -1 : 1)))) {
    yield text(names.config(hash), projection);
  }
  yield* bodyFiles(a);
}

/** What is made of the evidence. The report's note is the entry behind all that are given of the last log. */
export function* assembleReport(a: Assembly, report: Report, documents: Documents): Generator<File, void> {
  yield* reportFiles(report, documents, a.operator, (note) => {
    const last = a.logs.at(-1);
    if (last === undefined) throw new RangeError('no log');
    const index = last.entries.length;
    const tree = treeOf({ ...last, entries: [...last.entries, note] });
    const consistency = formatHashes(tree.consistency(last.size, index + 1));
    return { proof: tree.proofOf(index, index + 1, a.witnesses), consistency };
  });
}

export interface NoteProof {
  /** That the note is in the log (c2sp.org/tlog-proof). */
  readonly proof: string;
  /** That its checkpoint continues the end that was counted. */
  readonly consistency: string;
}

/** The same of a log that is not held: `prove` tells that the note is in it. */
export function* reportFiles(
  report: Report,
  documents: Documents,
  operator: SigningKey,
  prove: (note: Uint8Array) => NoteProof,
): Generator<File, void> {
  const { origin, month, revision, minutes, logs } = report;
  const json = utf8(formatReport(report));
  const trees = logs.map(({ year, size, root }) => ({ year, size, root }));
  const hash = encodeBase64(sha256(json));
  const leaf = { origin, month, revision, minutes, trees, bytes: json.length, hash };
  const note = operator.sign(formatReportLeaf(leaf));
  yield [names.report, json];
  yield text(names.note, note);
  const { proof, consistency } = prove(utf8(note));
  yield text(names.proof, proof);
  yield text(names.continues, consistency);
  yield text(names.markdown, documents.markdown);
  yield text(names.csv, documents.csv);
  yield text(names.readme, documents.readme);
}

/** Roots of the ends, as report.json names them. */
export function assembledLogs(a: Assembly): Report['logs'] {
  return a.logs.map((log) => {
    const { year, start, size, key } = log;
    return { year, start, size, root: encodeBase64(treeOf(log).rootAt(size)), key: key.vkey };
  });
}

// ------------------------------------------------------------------ trees

const known = new WeakMap<AssembledLog, TestTree>();

function treeOf(log: AssembledLog): TestTree {
  const tree = known.get(log) ?? new TestTree(log.key, log.entries.map(testLeafHash));
  known.set(log, tree);
  return tree;
}

// ----------------------------------------------------------------- leaves

interface Placed {
  readonly log: AssembledLog;
  readonly index: number;
}

/**
 * Of the entries before the month's: configurations, keys and maintenance, and of each key the batch that had reached
 * furthest when such a leaf came, here or later; the batch that the first of each chain names; and where there are leaves of
 * older logs, the entries that carry the last checkpoints of those.
 */
function earlierLeaves(a: Assembly): Placed[] {
  const [first] = a.logs;
  const wanted = new Set<string>();
  const places = new Map<string, Placed>();
  const reach = new Map<string, { readonly last: number; readonly place: string }>();
  /** Of each chain the newest that came before the month's entries. */
  const newest = new Map<string, string>();
  for (const log of [...(a.earlier ?? []), ...a.logs]) {
    const isBefore = (index: number): boolean =>
      log.year < (first?.year ?? 0) || (log === first && index < log.start);
    for (const [index, bytes] of log.entries.slice(0, log.size).entries()) {
      const note = parseNote(decodeUtf8(bytes) ?? '');
      if ('error' in note) continue;
      const place = `${log.year} ${index}`;
      if (isBefore(index)) places.set(place, { log, index });
      if (/^highwater\/(?:config|probe|maint)\//.test(note.text)) {
        wanted.add(place);
        for (const batch of reach.values()) wanted.add(batch.place);
      }
      const batch = parseBatchText(note.text);
      if ('error' in batch) continue;
      const key = note.signatures.map(({ name, keyId }) => `${name} ${keyId}`).join();
      if (batch.minutes.last > (reach.get(key)?.last ?? -1)) {
        reach.set(key, { last: batch.minutes.last, place });
      }
      const chain = `${key} ${batch.epoch}`;
      if (isBefore(index)) newest.set(chain, place);
      else wanted.add(newest.get(chain) ?? '');
    }
  }
  const years = [...places].filter(([place]) => wanted.has(place)).map(([, { log }]) => log.year);
  for (const { year } of a.earlier ?? []) if (year > Math.min(...years)) wanted.add(`${year} 0`);
  if (first !== undefined && first.year > Math.min(...years)) wanted.add(`${first.year} 0`);
  return [...places].filter(([place]) => wanted.has(place)).map(([, placed]) => placed);
}

// ----------------------------------------------------------------- bodies

interface Held {
  readonly missing: string[];
  readonly bodies: Uint8Array[];
}

function* bodyFiles(a: Assembly): Generator<File, void> {
  const days = new Map<number, Map<string, Held>>();
  const configs = configsOf(a);
  const { first, last } = daysOfMonth(parseMonth(a.month) ?? 0);
  for (const { year, start, size, entries } of a.logs) {
    for (let index = start; index < size; index += 1) {
      const batch = batchOf(entries[index]);
      const day = dayOfMinute(batch?.minutes.first ?? -1);
      if (batch === undefined || day < first || day > last) continue;
      const services = days.get(day) ?? new Map<string, Held>();
      days.set(day, services);
      for (const { service } of batch.bodies) {
        if (!isPublished(configs.get(batch.config), service)) continue;
        const held = services.get(service) ?? { missing: [], bodies: [] };
        services.set(service, held);
        const body = a.body(year, index, service);
        if (typeof body === 'string') held.missing.push(`missing ${year} ${index} ${body}\n`);
        else held.bodies.push(body);
      }
    }
  }
  for (const [day, services] of [...days].sort(([x], [y]) => x - y)) {
    for (const [service, held] of [...services].sort(([x], [y]) => (x < y ? -1 : 1))) {
      yield* filesOfService(day, service, held);
    }
  }
}

function* filesOfService(day: number, service: string, { missing, bodies }: Held): Generator<File, void> {
  const cut = cutAt(
    BODIES_FILE_BYTES,
    bodies.map((body) => body.length),
  );
  const parts = cut.length > 0 ? cut : [{ from: 0, to: 0 }];
  for (const [part, { from, to }] of parts.entries()) {
    const head = part === 0 ? utf8(missing.join('')) : new Uint8Array();
    yield [names.bodies(day, service, part), Buffer.concat([head, ...bodies.slice(from, to)])];
  }
}

function batchOf(entry: Uint8Array | undefined): Batch | undefined {
  const note = parseNote(decodeUtf8(entry ?? new Uint8Array()) ?? '');
  const batch = 'error' in note ? note : parseBatchText(note.text);
  return 'error' in batch ? undefined : batch;
}

/** Configurations by leaf hash, base64. */
function configsOf(a: Assembly): Map<string, RuleConfig> {
  const byHash = new Map(a.projections.map((p) => [encodeBase64(sha256(utf8(p))), p]));
  const configs = new Map<string, RuleConfig>();
  for (const { entries, size } of [...(a.earlier ?? []), ...a.logs]) {
    for (const bytes of entries.slice(0, size)) {
      const whole = decodeUtf8(bytes) ?? '';
      const leaf = parseConfigLeaf(whole.slice(0, whole.lastIndexOf('\n\n') + 1));
      const projection = 'error' in leaf ? undefined : byHash.get(leaf.hash);
      const config = projection === undefined ? undefined : parseProjection(projection);
      if (config !== undefined && !('error' in config)) configs.set(leafHashOfNote(whole, sha256), config);
    }
  }
  return configs;
}
