/**
 * Reads the evidence of a bundle in the order of its files, verifies all of it, and counts: what checks a report, and what makes
 * one. Nothing in it is believed: what does not fit is a problem, told with its file, and never an error that is thrown.
 */
import { decodeBase64, decodeUtf8, encodeBase64, encodeHex, utf8 } from '../proof/bytes.ts';
import { openCount } from '../proof/count/open-count.ts';
import type { ReportLeaf } from '../proof/report-leaf.ts';
import { parseProjection } from '../proof/projection.ts';
import type { ConfigRecord } from '../proof/rule/evidence.ts';
import { timelineOf } from '../proof/rule/timeline.ts';
import { dayOfMinute } from '../time.ts';
import type { Counted } from '../report/counted.ts';
import type { Logged } from '../report/logged.ts';
import { readBodies } from './bodies.ts';
import { tooLarge, tooManyLeaves } from './caps.ts';
import type { Evidence, EvidenceOptions } from './check.ts';
import type { Checker } from './checker.ts';
import { cosignersOf, countCosigners, quorumText } from './checkpoints.ts';
import { Entries, placeOf } from './entries.ts';
import { type BundleFiles, names, orderOf } from './files.ts';
import type { Placed } from './leaves-read.ts';
import { loggedOf } from './logged.ts';
import { readLogs, rootsOf, type Logs } from './logs.ts';
import { CannotGoOn } from './problems.ts';
import { policyMet } from '../proof/policy.ts';
import { type Range, minutesOfRange, parseRange } from './range.ts';
import { Reading } from './reading.ts';
import { saySpan } from './span.ts';
import { readStandingLeaves } from './standing-leaves.ts';
import { Ties } from './ties.ts';
import { type Trusted, readTrust } from './trust.ts';

/** What was found, with what it takes to hold a report against it. */
export interface Found {
  readonly range: Range;
  readonly trusted: Trusted;
  readonly logs: Logs;
  readonly counted: Counted;
  readonly logged: Logged;
  readonly trust: Evidence['trust'];
  /** As a report has to have them: by the bundle's own word, whomever the reader asks. */
  readonly operatorKey: string;
  readonly policyWitnesses: { readonly signed: number; readonly all: number };
  /** All that is counted was here and was what it was signed to be. */
  readonly isWhole: boolean;
  /** Leaves of reports, of whichever months. */
  readonly reports: readonly Placed<ReportLeaf>[];
}

const nothing: Omit<Evidence, 'amount' | 'problems' | 'remarks'> = {
  range: { month: '1970-01', origin: '', trees: [], leaves: [], before: [] },
  counted: { services: [], probes: [], later: [], missing: [] },
  logged: {
    configs: [],
    keys: [],
    maintenance: [],
    actions: [],
    annotations: [],
    files: { range: '', keys: '', policy: '' },
  },
  trust: {
    operatorKey: '',
    keysFrom: 'bundle',
    policyFrom: 'bundle',
    witnesses: { signed: [], all: 0, quorum: '' },
    probes: { byOthers: 0, all: 0 },
    anchors: [],
  },
};

/** Rejects with the signal's reason, and where the files themselves fail in a way that is not the bundle's. */
export async function checkEvidence(
  files: BundleFiles,
  checker: Checker,
  options: EvidenceOptions = {},
): Promise<Evidence> {
  const reading = new Reading(files, checker, options);
  return evidenceOf(reading, await find(reading));
}

/** Undefined when something kept it from being read to its end. */
export async function find(reading: Reading): Promise<Found | undefined> {
  try {
    return await read(reading);
  } catch (error) {
    if (error instanceof CannotGoOn) return undefined;
    throw error;
  }
}

export function evidenceOf(reading: Reading, found: Found | undefined): Evidence {
  const { range, counted, logged, trust } = found ?? nothing;
  const { problems } = reading;
  const amount = { ...reading.amount };
  return { range, counted, logged, trust, amount, problems: problems.list(), remarks: problems.remarks() };
}

async function read(reading: Reading): Promise<Found> {
  const { problems, checker, options } = reading;
  const rangeText = await reading.needText(names.range);
  const range = parseRange(rangeText);
  if ('error' in range) return problems.fatal('mismatch', names.range, range.error);
  const minutes = minutesOfRange(range);
  const days = { first: dayOfMinute(minutes.first), last: dayOfMinute(minutes.last) };
  const trusted = await readTrust(reading, range);
  const logs = await readLogs(reading, range, trusted);
  const witnesses = await witnessed(reading, range, trusted, logs);
  const before = problems.count;
  const entries = new Entries(reading, range, trusted.operator, days);
  const take: Entries['take'] = (entry, leaf, place) => {
    entries.take(entry, leaf, place);
  };
  const ties = new Ties();
  await readStandingLeaves(reading, range, trusted, rootsOf(logs), ties, take);
  const standing = entries.batches.length;
  const anchors = await logs.readEntries(ties, take);
  await entries.finish();
  ties.finish(problems, range.trees[0]?.year ?? 0);
  saySpan(reading, range, minutes, entries, standing);
  const wrongTips = entries.tips.wrong({
    sizeOf: (year) => logs.byYear.get(year)?.end.size,
    rootAt: (year, size) => anchors.rootAt(year, size),
    isVoid: (key, epoch, number) => number >= entries.chains.voidFrom(key, epoch),
  });
  for (const { batch, says } of wrongTips) entries.sayOfBatch(batch, says);
  reading.amount.before = range.trees[0]?.start ?? 0;

  const { configs, projections } = await readConfigs(reading, entries);
  const { probes, maints } = entries.leaves;
  const { hash } = checker;
  const last = range.before.at(-1);
  const count = openCount({
    range: minutes,
    configs,
    probes,
    maints,
    batches: entries.batches,
    voidFrom: (key, epoch) => entries.chains.voidFrom(key, epoch),
    ...(last === undefined ? {} : { before: orderOf(last.year, last.size) }),
    ...(options.service === undefined ? {} : { service: options.service }),
    hash,
  });
  await readBodies(reading, {
    entries,
    configs: new Map(configs.map((record) => [record.hash, record.config])),
    count,
    days,
  });
  const counted = count.result();
  const isWhole = problems.count === before;
  sayUnknownConfigs(reading, range, entries, configs);
  for (const problem of anchors.problems) problems.add(problem);
  const timeline = timelineOf({
    configs,
    probes,
    maints,
    batches: entries.batches.map((batch) => ({ index: batch.index, key: batch.key, batch })),
  });
  const hashOf = (text: string): string => encodeBase64(hash(utf8(text)));
  const unsigned = {
    range: hashOf(rangeText),
    keys: hashOf(trusted.texts.keys),
    policy: hashOf(trusted.texts.policy),
  };
  const logged = loggedOf({ leaves: entries.leaves, timeline, range: minutes, projections, unsigned });
  const trust: Evidence['trust'] = {
    operatorKey: trusted.operatorVkey,
    keysFrom: options.operatorKey === undefined ? 'bundle' : 'reader',
    policyFrom: options.policy === undefined ? 'bundle' : 'reader',
    witnesses,
    probes: speaking(counted),
    anchors: anchors.agreeing,
  };
  const policyWitnesses = await ownWitnesses(reading, range, trusted, logs, witnesses);
  const operatorKey = trusted.operatorVkey;
  const { reports } = entries.leaves;
  return { range, trusted, logs, counted, logged, trust, operatorKey, policyWitnesses, isWhole, reports };
}

async function witnessed(
  reading: Reading,
  range: Range,
  { policy }: Trusted,
  logs: Logs,
): Promise<Evidence['trust']['witnesses']> {
  const year = range.trees.at(-1)?.year ?? 0;
  const end = logs.byYear.get(year)?.end;
  const signed = end === undefined ? [] : await cosignersOf(reading, names.end(year), end, policy);
  const quorum = quorumText(policy);
  const all = policy.witnesses.length;
  if (!policyMet(policy, signed)) {
    const who = signed.length > 0 ? signed.join(', ') : 'none of them';
    reading.problems.incomplete(
      names.end(year),
      `too few witnesses have cosigned it: the policy asks for ${quorum}; ${who} did`,
    );
  }
  return { signed, all, quorum };
}

/** Under the bundle's own policy they are the same, and verified already. */
async function ownWitnesses(
  reading: Reading,
  range: Range,
  { ownPolicy, policy }: Trusted,
  logs: Logs,
  witnesses: Evidence['trust']['witnesses'],
): Promise<Found['policyWitnesses']> {
  const all = ownPolicy.witnesses.length;
  if (policy === ownPolicy) return { signed: witnesses.signed.length, all };
  const end = logs.byYear.get(range.trees.at(-1)?.year ?? 0)?.end;
  return { signed: end === undefined ? 0 : await countCosigners(reading, end, ownPolicy), all };
}

async function readConfigs(
  reading: Reading,
  { leaves }: Entries,
): Promise<{ configs: ConfigRecord[]; projections: Map<string, string> }> {
  const { problems, checker } = reading;
  const hexOf = (hash: string): string => encodeHex(decodeBase64(hash) ?? new Uint8Array());
  const projections = new Map<string, string>();
  const parsed = new Map<string, ConfigRecord['config']>();
  const sizes = new Map<string, number>();
  const tooMany = tooManyLeaves(leaves);
  if (tooMany !== undefined) return problems.fatal('incomplete', names.range, tooMany);
  let monitors = 0;
  const wanted = [...new Set(leaves.configs.map(({ leaf }) => leaf.hash))];
  for (const hash of wanted.sort((a, b) => (hexOf(a) < hexOf(b) ? -1 : 1))) {
    const file = names.config(hexOf(hash));
    const bytes = await reading.need(file);
    if (encodeBase64(checker.hash(bytes)) !== hash)
      return problems.fatal('mismatch', file, 'it has other bytes than its name and the configuration say');
    const text = decodeUtf8(bytes);
    const config = text === undefined ? { error: 'it is not UTF-8' } : parseProjection(text);
    if ('error' in config) return problems.fatal('mismatch', file, config.error);
    const over = tooLarge(config, monitors);
    if (over !== undefined) return problems.fatal('incomplete', file, over);
    monitors += config.monitors.length;
    projections.set(hash, text ?? '');
    parsed.set(hash, config);
    sizes.set(hash, bytes.length);
    await reading.turn(() => ({ phase: 'log', done: 1, all: 1, of: file }));
  }
  const configs = leaves.configs.flatMap(({ index, hash, leaf, file, name }) => {
    const config = parsed.get(leaf.hash);
    if (config === undefined || sizes.get(leaf.hash) !== leaf.bytes) {
      problems.mismatch(file, `${name}: its projection does not have the ${leaf.bytes} bytes that it says`);
      return [];
    }
    return { index, hash, from: leaf.from, config };
  });
  return { configs, projections };
}

/** Lines under a configuration that is not here count for nothing: whoever left it out could choose which. */
function sayUnknownConfigs(
  reading: Reading,
  range: Range,
  entries: Entries,
  configs: readonly ConfigRecord[],
): void {
  const known = new Set(configs.map(({ hash }) => hash));
  const minutes = minutesOfRange(range);
  for (const { config, index, lines, minutes: own, probe } of entries.batches) {
    if (lines === 0 || known.has(config) || own.last < minutes.first || own.first > minutes.last) continue;
    // Told once: its other batches say no more.
    known.add(config);
    const { file, name } = placeOf(range, index);
    reading.problems.incomplete(
      file,
      `${name}, a batch of ${probe}: it ran a configuration that is not here`,
    );
  }
}

function speaking({ probes }: Counted): Evidence['trust']['probes'] {
  const spoke = probes.filter(({ batches }) => batches > 0);
  const others = spoke.filter(({ isByOthers }) => isByOthers);
  return { byOthers: new Set(others.map(({ id }) => id)).size, all: new Set(spoke.map(({ id }) => id)).size };
}
