/** Bundles that somebody has made up, of logs that hold together and signatures that are good: what tells them from honest ones. */
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256, witnessSigningKey } from '../keys.ts';
import { nodeChecker } from '../node-checker.ts';
import { encodeBase64, utf8 } from '../proof/bytes.ts';
import { leafHash } from '../proof/leaf-hash.ts';
import { formatMaintLeaf } from '../proof/leaves.ts';
import { formatReportLeaf } from '../proof/report-leaf.ts';
import { renderCsv } from '../report/csv.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderReadme } from '../report/readme.ts';
import type { Report } from '../report/report.ts';
import { type Checked, checkBundle } from './check-bundle.ts';
import type { Evidence, EvidenceOptions } from './check.ts';
import { checkEvidence } from './evidence.ts';
import { parseRange } from './range.ts';
import {
  type AssembledLog,
  type Assembly,
  assembleEvidence,
  assembleReport,
  assembledLogs,
} from './testing/assemble.ts';
import { filesOf } from './testing/files.ts';
import { SMALL_ORIGIN, smallKey, smallKeys } from './testing/small-config.ts';
import { type SmallBundle, smallBundle } from './testing/small.ts';
import { TestTree, testLeafHash } from './testing/tree-files.ts';

const checker = nodeChecker();
let small: SmallBundle;
let honest: Assembly;
let log: AssembledLog;
beforeAll(() => {
  small = smallBundle({ minutes: 60 });
  honest = small.assembly;
  [log] = honest.logs as [AssembledLog];
});

const check = (assembly: Assembly, change = (files: Map<string, Uint8Array>) => files): Promise<Evidence> =>
  checkEvidence(filesOf(change(new Map(assembleEvidence(assembly)))), checker);
const textOf = (entry: Uint8Array | undefined): string => Buffer.from(entry ?? []).toString('utf8');
const isBatch = (entry: Uint8Array): boolean => textOf(entry).startsWith('highwater/batch/');
const ofAsia = (entry: Uint8Array): boolean => isBatch(entry) && textOf(entry).includes('\nprobe asia-1\n');

/** The same with other entries; what was said of an entry goes with it. */
function withEntries(entries: readonly Uint8Array[], start = log.start, size = entries.length): Assembly {
  const places = new Map(log.entries.map((entry, i) => [entry, i]));
  return {
    ...honest,
    logs: [{ ...log, entries, start, size }],
    body: (year, index, service) => {
      const place = places.get(entries[index] ?? new Uint8Array());
      return place === undefined ? 'gone' : honest.body(year, place, service);
    },
  };
}

/** Batches signed again by their probes, with another tip where `tip` gives one; each chain holds together. */
function withTips(
  entries: readonly Uint8Array[],
  tip: (index: number) => { readonly size: number; readonly root: string } | undefined,
): Uint8Array[] {
  const keys = new Map([smallKeys.asia, smallKeys.eu, smallKeys.us].map((key) => [key.name, key]));
  const prev = new Map<string, string>();
  return entries.map((entry, i) => {
    const text = textOf(entry);
    const key = keys.get(/\nprobe (.*)\n/.exec(text)?.[1] ?? '');
    if (!isBatch(entry) || key === undefined) return entry;
    const other = tip(i);
    const before = prev.get(key.name);
    const next = text
      .slice(0, text.lastIndexOf('\n\n') + 1)
      .replace(/\ntip .*\n/, (line) => (other === undefined ? line : `\ntip ${other.size} ${other.root}\n`))
      .replace(/\nprev .*\n/, (line) => (before === undefined ? line : `\nprev ${before}\n`));
    const signed = utf8(key.sign(next));
    prev.set(key.name, encodeBase64(leafHash(signed, sha256)));
    return signed;
  });
}

describe('what probes had seen of the log', () => {
  const rootAt = (entries: readonly Uint8Array[], size: number): string =>
    encodeBase64(new TestTree(log.key, entries.slice(0, size).map(testLeafHash)).rootAt(size));

  it('is no problem where the log was so, also before the part that is here', async () => {
    let entries = log.entries.slice(0, log.size);
    const at = [310, 400, 470];
    // Each changes those that come behind it alone.
    for (const place of at) {
      const index = entries.findIndex((entry, i) => i > place && isBatch(entry));
      const tip = { size: place, root: rootAt(entries, place) };
      entries = withTips(entries, (i) => (i === index ? tip : undefined));
    }
    const early = { size: 20, root: rootAt(entries, 20) };
    const last = entries.findLastIndex(isBatch);
    entries = withTips(entries, (i) => (i === last ? early : undefined));
    expect((await check(withEntries(entries))).problems).toEqual([]);
  });

  it.each([
    ['another root', (i: number) => i - 1],
    ['a log that is longer than it was', (i: number) => i + 1],
  ])('is a mismatch where it was another: %s', async (_, sizeOf) => {
    const root = encodeBase64(sha256(utf8('another log')));
    const entries = withTips(log.entries.slice(0, log.size), (i) => ({ size: sizeOf(i), root }));
    const { problems } = await check(withEntries(entries));
    // Of each of three keys, on each of two days.
    expect(problems).toHaveLength(6);
    for (const { kind, file, says } of problems) {
      expect(kind).toBe('mismatch');
      expect(file).toMatch(/^logs\/2026\/entries\//);
      expect(says).toMatch(/^entry \d+ of 2026, a batch of .*: its probe had seen a log of \d+ entries/);
    }
  });

  it('may be the log of the year before', async () => {
    const two = smallBundle({ isTwoLogs: true });
    const [before, after] = two.assembly.logs as [AssembledLog, AssembledLog];
    const root = encodeBase64(
      new TestTree(before.key, before.entries.map(testLeafHash)).rootAt(before.entries.length),
    );
    const at = after.entries.findLastIndex((entry, i) => i < after.size && isBatch(entry));
    const problemsOf = async (tip: { size: number; root: string }) => {
      const other = textOf(after.entries[at]);
      const key = [smallKeys.asia, smallKeys.eu, smallKeys.us, smallKeys.usNext].find(
        ({ name, vkey }) => other.includes(`\nprobe ${name}\n`) && vkey !== smallKeys.us.vkey,
      );
      const text = other
        .slice(0, other.lastIndexOf('\n\n') + 1)
        .replace(/\ntip .*\n/, `\ntip ${tip.size} ${tip.root}\n`);
      const entries = [...after.entries];
      entries[at] = utf8(key?.sign(text) ?? '');
      const logs = [before, { ...after, entries: entries.slice(0, after.size) }];
      return (await check({ ...two.assembly, logs })).problems;
    };
    const { length: size } = before.entries;
    expect(await problemsOf({ size, root })).toEqual([]);
    expect(await problemsOf({ size: size - 1, root })).toMatchObject([{ kind: 'mismatch' }]);
  });
});

describe('logs of years before', () => {
  const maint = (): Uint8Array =>
    utf8(
      smallKeys.operator.sign(
        formatMaintLeaf({
          act: 'declare',
          origin: SMALL_ORIGIN,
          from: small.day + 10,
          last: small.day + 20,
          subjects: ['web'],
        }),
      ),
    );
  const older = (leaves: readonly Uint8Array[]): AssembledLog => {
    const key = smallKey(`${SMALL_ORIGIN}/2025`);
    return { year: 2025, key, entries: leaves, start: 0, size: leaves.length };
  };
  const ended = ({ key, entries }: AssembledLog): Uint8Array =>
    utf8(new TestTree(key, entries.map(testLeafHash)).checkpoint(entries.length));

  it('are those that the newer log carries', async () => {
    const old = older([maint()]);
    const entries = [...log.entries.slice(0, log.size)];
    // A remark gives way, so that the others stand where they stood.
    const remark = entries.findIndex((entry) => textOf(entry).startsWith('highwater/annot/'));
    entries.splice(remark, 1);
    const tied = { ...withEntries([ended(old), ...entries]), earlier: [old] };
    expect((await check(tied)).problems).toEqual([]);
    const made = older([maint(), maint()]);
    const { problems } = await check({ ...tied, earlier: [made] });
    expect(problems[0]).toMatchObject({ kind: 'mismatch', file: 'leaves/2025/0.tlog-proof' });
  });

  it('that nothing ties to it are no evidence', async () => {
    const { problems } = await check({ ...honest, earlier: [older([maint()])] });
    expect(problems).toMatchObject([{ kind: 'incomplete', file: 'leaves/2026/0' }]);
  });

  it('are of keys that a policy knows', async () => {
    const files = new Map(assembleEvidence({ ...honest, earlier: [older([maint()])] }));
    const policy = `log ${log.key.vkey}\nquorum none\n`;
    const { problems } = await checkEvidence(filesOf(files), checker, { policy });
    expect(problems).toContainEqual({
      kind: 'incomplete',
      file: 'keys',
      says: 'the policy that was given does not know the key of the log 2025',
    });
  });
});

describe('the part that is said to have all of the month', () => {
  it('begins behind batches of the month', async () => {
    const start = log.start + 90;
    const shown = await check(withEntries(log.entries.slice(0, log.size), start));
    expect(shown.problems).toHaveLength(3);
    expect(shown.problems[0]).toMatchObject({
      kind: 'mismatch',
      says: expect.stringMatching(/is of the month, and before/) as string,
    });

    const left = await check(withEntries(log.entries.slice(0, log.size), start), (files) => {
      const range = textOf(files.get('range')).replace(/leaf 2026 (?:3[0-9]{2})\n/g, '');
      return files.set('range', utf8(range));
    });
    expect(left.problems).toHaveLength(3);
    for (const { kind, says } of left.problems) {
      expect(kind).toBe('incomplete');
      expect(says).toMatch(/batch \d+ of its epoch is not here/);
    }
  });

  it('ends before the month does', async () => {
    const last = log.entries.findLastIndex(
      (entry) => Number(/\nminutes (\d+) /.exec(textOf(entry))?.[1] ?? Infinity) <= small.range.last,
    );
    const { problems } = await check(withEntries(log.entries, log.start, last + 1));
    expect(problems).toMatchObject([{ kind: 'incomplete', file: 'logs/2026/end.checkpoint' }]);
    const two = smallBundle({ isTwoLogs: true }).assembly;
    const cut = await check({ ...two, logs: two.logs.slice(0, 1) });
    expect(cut.problems).toMatchObject([{ kind: 'incomplete', file: 'logs/2026/end.checkpoint' }]);
  });

  it('says how much was before it', async () => {
    expect((await check(honest)).amount.before).toBe(300);
  });

  it('is not behind the report of the month before', () => {
    const range = textOf(new Map(assembleEvidence(honest)).get('range'));
    expect(parseRange(`${range}before 2026 ${log.size}\n`)).not.toHaveProperty('error');
    expect(parseRange(`${range}before 2026 ${log.size + 1}\n`)).toHaveProperty('error');
    expect(parseRange(`${range}before 2027 1\n`)).toHaveProperty('error');
  });
});

it('a probe that does not name the batch before speaks against itself alone', async () => {
  const entries = [...log.entries.slice(0, log.size)];
  const mine = entries.flatMap((entry, i) => (ofAsia(entry) ? [i] : []));
  const [i = 0, j = 0] = mine.slice(-2);
  const text = textOf(entries[j]);
  const other = encodeBase64(sha256(utf8('nothing')));
  const forged = text.slice(0, text.lastIndexOf('\n\n') + 1).replace(/\nprev .*\n/, `\nprev ${other}\n`);
  [entries[i], entries[j]] = [utf8(smallKeys.asia.sign(forged)), entries[i] ?? new Uint8Array()];
  const { problems, remarks } = await check(withEntries(entries));
  expect(problems).toEqual([]);
  expect(remarks).toMatchObject([{ says: expect.stringMatching(/both are signed by asia-1/) as string }]);
});

describe("the report's own place in the log", () => {
  const witness = witnessSigningKey('w.example.com/w1', sha256(utf8('a witness')));
  const witnessed = (): Assembly => ({
    ...honest,
    policy: { logs: [], witnesses: [{ name: 'w1', vkey: witness.vkey }], groups: [], quorum: 'w1' },
    witnesses: [witness],
  });
  const reportOf = (of: Assembly, { counted, logged, trust }: Evidence): Report => ({
    version: 1,
    rule: 'rule/v1',
    month: of.month,
    revision: 1,
    minutes: { first: small.range.first, last: small.range.last },
    origin: of.origin,
    operatorKey: trust.operatorKey,
    witnesses: { signed: trust.witnesses.signed.length, all: trust.witnesses.all },
    logs: assembledLogs(of),
    counted,
    logged,
    told: {
      site: { name: 'Example', url: 'https://status.example.com' },
      operator: 'Example',
      madeAt: 1_800_000_000_000,
      services: [],
      incidents: [],
      before: [],
    },
  });
  /** @param proven the log in which the report is said to be */
  const checked = async (
    of: Assembly,
    change: (report: Report) => Report = (report) => report,
    proven = of,
    options: EvidenceOptions = {},
  ): Promise<Checked> => {
    const files = new Map(assembleEvidence(of));
    const report = change(reportOf(of, await checkEvidence(filesOf(files), checker)));
    const [markdown, csv, readme] = [renderMarkdown(report), renderCsv(report), renderReadme(report)];
    for (const [name, bytes] of assembleReport(proven, report, { markdown, csv, readme }))
      files.set(name, bytes);
    return checkBundle(filesOf(files), checker, options);
  };

  it('is good in its log', async () => {
    expect((await checked(witnessed())).problems).toEqual([]);
  });

  it('is in another log, which no witness has seen', async () => {
    const entries = Array.from({ length: 2_000 }, (_, i) => utf8(`nothing ${i}`));
    const fork = { ...witnessed(), witnesses: [], logs: [{ ...log, entries }] };
    const { problems } = await checked(witnessed(), undefined, fork);
    expect(problems).toMatchObject([
      {
        kind: 'incomplete',
        file: 'report.tlog-proof',
        says: expect.stringMatching(/none of them did$/) as string,
      },
      { kind: 'mismatch', file: 'report.consistency' },
    ]);
  });

  it('has another revision before it that it does not own to', async () => {
    const root = encodeBase64(new Uint8Array(32));
    const leaf = {
      origin: honest.origin,
      month: honest.month,
      revision: 2,
      minutes: { first: small.range.first, last: small.range.last },
      trees: [{ year: 2026, size: 1, root }],
      bytes: 1,
      hash: root,
    };
    const note = utf8(smallKeys.operator.sign(formatReportLeaf(leaf)));
    const of = withEntries([...log.entries.slice(0, log.size), note]);
    expect((await checked(of)).problems).toMatchObject([
      {
        kind: 'mismatch',
        file: 'report.json',
        says: expect.stringMatching(/^revision: it says 1/) as string,
      },
    ]);
    const supersedes = { revision: 2, leaf: encodeBase64(leafHash(note, sha256)), differences: [], more: 0 };
    expect((await checked(of, (report) => ({ ...report, revision: 3, supersedes }))).problems).toEqual([]);
    const wrong = await checked(of, (report) => ({
      ...report,
      revision: 3,
      supersedes: { ...supersedes, revision: 1 },
    }));
    expect(wrong.problems).toMatchObject([{ kind: 'mismatch', file: 'report.json' }]);
    const elsewhere = await checked(of, (report) => ({
      ...report,
      revision: 3,
      supersedes: { ...supersedes, leaf: root },
    }));
    expect(elsewhere.problems).toEqual([]);
    expect(elsewhere.evidence.remarks).toMatchObject([{ file: 'report.json' }]);
  });
});
