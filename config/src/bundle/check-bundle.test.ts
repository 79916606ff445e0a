/** A bundle with its report: an honest one agrees; whatever is changed in it is told with its file and a reason. */
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256, signingKeyFromSeed, witnessSigningKey } from '../keys.ts';
import { nodeChecker } from '../node-checker.ts';
import { encodeBase64, utf8 } from '../proof/bytes.ts';
import { formatReportLeaf, parseReportLeaf } from '../proof/report-leaf.ts';
import { renderCsv } from '../report/csv.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderReadme } from '../report/readme.ts';
import { type Report, formatReport, parseReport } from '../report/report.ts';
import type { Evidence, EvidenceOptions, Problem } from './check.ts';
import { type Checked, checkBundle } from './check-bundle.ts';
import { checkEvidence } from './evidence.ts';
import { type Assembly, assembleEvidence, assembleReport, assembledLogs } from './testing/assemble.ts';
import { filesOf } from './testing/files.ts';
import { smallBundle } from './testing/small.ts';

type Files = Map<string, Uint8Array>;

const checker = nodeChecker();
const witness = witnessSigningKey('w.example.com/w1', sha256(utf8('a witness')));
const policy = {
  logs: [],
  witnesses: [{ name: 'w1', vkey: witness.vkey }],
  groups: [],
  quorum: 'w1',
};

function reportOf(assembly: Assembly, { counted, logged, trust }: Evidence): Report {
  const { first, last } = smallRange;
  return {
    version: 1,
    rule: 'rule/v1',
    month: assembly.month,
    revision: 1,
    minutes: { first, last },
    origin: assembly.origin,
    operatorKey: trust.operatorKey,
    witnesses: { signed: trust.witnesses.signed.length, all: trust.witnesses.all },
    logs: assembledLogs(assembly),
    counted,
    logged,
    told: {
      site: { name: 'Example', url: 'https://status.example.com' },
      operator: 'Example',
      madeAt: 1_800_000_000_000,
      services: counted.services.map(({ id }) => ({ id, name: id })),
      incidents: [],
      before: [],
    },
  };
}

async function whole(assembly: Assembly): Promise<Files> {
  const files = new Map(assembleEvidence(assembly));
  const report = reportOf(assembly, await checkEvidence(filesOf(files), checker));
  const documents = {
    markdown: renderMarkdown(report),
    csv: renderCsv(report),
    readme: renderReadme(report),
  };
  for (const [name, bytes] of assembleReport(assembly, report, documents)) files.set(name, bytes);
  return files;
}

const check = (files: Files, options: EvidenceOptions = {}): Promise<Checked> =>
  checkBundle(filesOf(files), checker, options);

let assembly: Assembly;
let smallRange: { readonly first: number; readonly last: number };
let honest: Files;

beforeAll(async () => {
  const small = smallBundle({ minutes: 60 });
  smallRange = small.range;
  assembly = { ...small.assembly, policy, witnesses: [witness] };
  honest = await whole(assembly);
});

const textOf = (files: Files, name: string): string => Buffer.from(files.get(name) ?? []).toString('utf8');
const nameLike = (pattern: RegExp): string => [...honest.keys()].find((name) => pattern.test(name)) ?? '';

/** With one file as `change` makes it. */
function changed(name: string, change: (text: string) => string): Files {
  const files = new Map(honest);
  const text = Buffer.from(files.get(name) ?? []).toString('latin1');
  const next = change(text);
  expect(next).not.toBe(text);
  return files.set(name, Uint8Array.from(Buffer.from(next, 'latin1')));
}

/** Of the last letter of a base64 text that is data: another one. */
const otherLetter = (text: string): string => (text === 'A' ? 'B' : 'A');
const flipIn = (pattern: RegExp) => (text: string) =>
  text.replace(pattern, (_, before: string, letter: string) => `${before}${otherLetter(letter)}`);

describe('an honest bundle', () => {
  it('has no problems, and tells whom it trusts', async () => {
    const { problems, report, evidence } = await check(honest);
    expect(problems).toEqual([]);
    expect(report?.counted).toEqual(evidence.counted);
    expect(evidence.trust).toMatchObject({
      operatorKey: assembly.operator.vkey,
      keysFrom: 'bundle',
      policyFrom: 'bundle',
      witnesses: { signed: ['w1'], all: 1, quorum: 'w1' },
    });
  });

  it('is read for one service alone, to the same figures', async () => {
    const all = await check(honest);
    const files = filesOf(honest);
    const { problems, evidence } = await checkBundle(files, checker, { service: 'web' });
    expect(problems).toEqual([]);
    const web = all.evidence.counted.services.filter(({ id }) => id === 'web');
    expect(evidence.counted.services).toEqual(web);
    expect(files.asked.filter((name) => name.startsWith('bodies/'))).toHaveLength(1);
  });

  it('says so of a service that is not in it', async () => {
    expect((await check(honest, { service: 'nothing' })).problems).toEqual([
      { kind: 'incomplete', file: 'report.json', says: 'it has no service nothing' },
    ]);
  });

  it('is held against what the reader knows', async () => {
    const [log] = assembledLogs(assembly);
    const end = `${assembly.origin}/2026 ${log?.size} ${log?.root}`;
    const good = await check(honest, {
      anchors: [end, `highwater ${end}`],
      operatorKey: assembly.operator.vkey,
    });
    expect(good.problems).toEqual([]);
    expect(good.evidence.trust).toMatchObject({ anchors: [end, end], keysFrom: 'reader' });
    const zero = encodeBase64(new Uint8Array(32));
    const bad = await check(honest, {
      anchors: [`${assembly.origin}/2026 ${log?.size} ${zero}`, `${assembly.origin}/2026 3 ${zero}`, 'x'],
    });
    expect(bad.problems.map(({ kind, says }) => `${kind} ${says}`)).toEqual([
      expect.stringMatching(/^incomplete anchor x: it is not/),
      expect.stringMatching(/^mismatch anchor .*of that size the log here has the root/),
      expect.stringMatching(/^incomplete anchor .*does not reach it/),
    ]);
    const stranger = signingKeyFromSeed(assembly.origin, sha256(utf8('a stranger')));
    expect((await check(honest, { operatorKey: stranger.vkey })).problems).toEqual([
      { kind: 'mismatch', file: 'keys', says: expect.stringContaining('another key than yours') as string },
    ]);
    const other = witnessSigningKey('w.example.com/w2', sha256(utf8('another')));
    const strict = `witness w1 ${witness.vkey}\nwitness w2 ${other.vkey}\ngroup both 2 w1 w2\nquorum both\n`;
    expect((await check(honest, { policy: strict })).problems).toEqual([
      {
        kind: 'incomplete',
        file: 'logs/2026/end.checkpoint',
        says: 'too few witnesses have cosigned it: the policy asks for 2 of w1, w2; w1 did',
      },
      {
        kind: 'incomplete',
        file: 'report.tlog-proof',
        says: 'too few witnesses have cosigned its checkpoint: the policy asks for 2 of w1, w2; w1 did',
      },
    ]);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(check(honest, { signal: stop.signal })).rejects.toThrow('enough');
  });
});

describe('what is changed shows', () => {
  it('each file that is dropped', async () => {
    for (const name of honest.keys()) {
      const files = new Map(honest);
      files.delete(name);
      const { problems } = await check(files);
      expect(problems[0], name).toMatchObject({ kind: 'incomplete', file: name });
    }
  });

  const cases: readonly [string, string | RegExp, (text: string) => string, RegExp][] = [
    ['a month that is none', 'range', (text) => text.replace('2026-10', '2026-13'), /month/],
    [
      'a part that ends elsewhere',
      'range',
      (text) => text.replace(/(tree 2026 \d+ \d+)\d/, '$19'),
      /^it is of \d+ entries/,
    ],
    ['a key', 'keys', (text) => text.replace('operator ', 'operator x'), /key/],
    ['a policy', 'policy', (text) => text.replace('quorum w1', 'quorum w2'), /not defined/],
    ['a policy in another spelling', 'policy', (text) => text.replace(' ', '\t'), /spelling/],
    ['the start', /start/, (text) => text.replace('\n300\n', '\n301\n'), /does not fit/],
    ['the end', /end\.c/, (text) => text.replace(/\n(\d+)\n/, '\n1$1\n'), /does not fit/],
    ['a cosignature', /end\.c/, (text) => flipIn(/(.)(.)(?=.\n$)/)(text), /w1 is not good/],
    ['the consistency proof', /consistency/, flipIn(/^()(.)/), /does not show/],
    ['the frontier', /frontier/, flipIn(/^()(.)/), /root of the start/],
    ['the frontier is longer', /frontier/, (text) => text + text, /2 hashes, not 1/],
    ['an earlier leaf', /^leaves\/2026\/0$/, (text) => text.replace('from', 'form'), /not show/],
    ['the proof of one', /^leaves\/2026\/0\./, flipIn(/^(c2sp.*\nindex 0\n)(.)/), /not show/],
    [
      'an entry',
      /entries/,
      (text) => text.replace('clock 5', 'clock 6'),
      /does not name the batch before|one of them/,
    ],
    ['entries that end too early', /entries\/001/, (text) => text.slice(0, -10), /ends inside|entries, not/],
    ['a projection', /^configs/, (text) => text.replace('region eu', 'region ev'), /other bytes/],
    [
      'a body',
      /^bodies.*web/,
      (text) => text.replace(' ok ', ' OK '),
      /has not the bytes that entry \d+ of 2026/,
    ],
    ['a body that is longer', /^bodies.*web/, (text) => `${text}x`, /commit to/],
    [
      'a body of no batch',
      /^bodies.*web/,
      (text) => `missing 2026 1 gone\n${text}`,
      /has no body that could be/,
    ],
    ['the note', 'report.note', (text) => text.replace('revision 1', 'revision 2'), /does not fit/],
    ['the proof', 'report.tlog-proof', (text) => text.replace(/index \d+/, 'index 1'), /not show/],
    ['the Markdown', 'report.md', (text) => `${text}x`, /not what this program makes/],
    ['the CSV', 'report.csv', (text) => `${text}x`, /not what this program makes/],
    ['the readme', 'README.md', (text) => text.replace('e', 'a'), /not what this program makes/],
  ];
  it.each(cases)('%s', async (_, file, change, says) => {
    const name = typeof file === 'string' ? file : nameLike(file);
    expect(honest.has(name)).toBe(true);
    const { problems } = await check(changed(name, change));
    const of = problems.filter((problem) => says.test(problem.says));
    expect(of, JSON.stringify(problems.slice(0, 5))).not.toEqual([]);
    expect(of[0]?.kind).toBe('mismatch');
  });

  /** As the operator could sign it again. */
  const signedAgain = (report: Report): Map<string, Uint8Array> => {
    const json = utf8(formatReport(report));
    const leaf = parseReportLeaf(textOf(honest, 'report.note').split('\n\n')[0] + '\n');
    if ('error' in leaf) throw new Error(leaf.error);
    const text = formatReportLeaf({ ...leaf, bytes: json.length, hash: encodeBase64(sha256(json)) });
    const note = utf8(assembly.operator.sign(text));
    return new Map(honest).set('report.json', json).set('report.note', note);
  };
  const honestReport = (): Report => {
    const report = parseReport(textOf(honest, 'report.json'));
    if ('error' in report) throw new Error(report.error);
    return report;
  };

  it('figures that are raised, and signed again by the operator', async () => {
    const raised = honestReport();
    const totals = raised.counted.services[0]?.subjects[0]?.totals;
    if (totals === undefined) throw new Error('it has no totals');
    totals.up += 1;
    const { problems } = await check(signedAgain(raised));
    expect(problems).toContainEqual({
      kind: 'mismatch',
      file: 'report.json',
      says: `counted.services.rpc.subjects.rpc.totals.up: the report says ${totals.up}, the evidence gives ${totals.up - 1}`,
    });
  });

  it('witnesses that did not sign, and a key that is not the one that did, whomever the reader asks', async () => {
    const files = signedAgain({
      ...honestReport(),
      operatorKey: 'someone+00000000+AA==',
      witnesses: { signed: 3, all: 4 },
    });
    const said = [
      /^operatorKey: the report says "someone/,
      /^witnesses\.signed: the report says 3, the evidence gives 1$/,
      /^witnesses\.all: the report says 4, the evidence gives 1$/,
    ];
    const own = `witness other ${witnessSigningKey('w.example.com/o', sha256(utf8('o'))).vkey}\nquorum none\n`;
    for (const options of [{}, { policy: own }]) {
      const { problems } = await check(files, options);
      for (const says of said) expect(problems.some((problem) => says.test(problem.says))).toBe(true);
    }
  });

  it('a note of another text says itself what it says', async () => {
    const leaf = parseReportLeaf(textOf(honest, 'report.note').split('\n\n')[0] + '\n');
    if ('error' in leaf) throw new Error(leaf.error);
    const note = utf8(assembly.operator.sign(formatReportLeaf({ ...leaf, revision: 7 })));
    const { problems } = await check(new Map(honest).set('report.note', note));
    expect(problems).toContainEqual({
      kind: 'mismatch',
      file: 'report.note',
      says: 'revision: the note says 7, the evidence gives 1',
    });
  });
});

describe('entries that their log holds, and that are not what they should be', () => {
  const withEntry = (change: (entries: Uint8Array[]) => void): Assembly => {
    const logs = assembly.logs.map((log) => {
      const entries = [...log.entries];
      change(entries);
      return { ...log, entries, size: entries.length };
    });
    return { ...assembly, logs };
  };
  const noteAt = (entries: Uint8Array[], at: number): string =>
    Buffer.from(entries[at] ?? []).toString('utf8');
  const problemsOf = async (other: Assembly): Promise<readonly Problem[]> =>
    (await checkEvidence(filesOf(new Map(assembleEvidence(other))), checker)).problems;

  it('a batch by a key that nobody enrolled', async () => {
    const problems = await problemsOf(
      withEntry((entries) => {
        const last = entries.length - 1;
        const text = noteAt(entries, last).split('\n\n')[0] ?? '';
        const name = /\nprobe (.*)\n/.exec(text)?.[1] ?? '';
        entries[last] = utf8(signingKeyFromSeed(name, sha256(utf8('nobody'))).sign(`${text}\n`));
      }),
    );
    expect(problems).toContainEqual({
      kind: 'mismatch',
      file: expect.stringMatching(/^logs\/2026\/entries\//) as string,
      says: expect.stringMatching(
        /^entry \d+ of 2026: it is signed by .* a key that no entry before it enrolled$/,
      ) as string,
    });
  });

  const forge = (note: string): string =>
    note.replace(/(.)(?=.{60}\n$)/, (letter) => (letter === 'A' ? 'B' : 'A'));

  it.each([
    ['the newest of a chain', -1, /its signature does not fit its text/],
    ['one that others name', -4, /its signature does not fit its text/],
  ])('a signature that is not good: %s', async (_, at, says) => {
    const problems = await problemsOf(
      withEntry((entries) => {
        const place = entries.length + at;
        entries[place] = utf8(forge(noteAt(entries, place)));
      }),
    );
    expect(problems.some((problem) => problem.kind === 'mismatch' && says.test(problem.says))).toBe(true);
  });

  it('a leaf with a forged signature of the operator, one of a stranger, and what is no note', async () => {
    const remark = assembly.logs[0]?.entries[10] ?? new Uint8Array();
    const text = `${Buffer.from(remark).toString('utf8').split('\n\n')[0]}\n`;
    const stranger = signingKeyFromSeed('stranger', sha256(utf8('a stranger')));
    const problems = await problemsOf(
      withEntry((entries) => {
        entries.push(utf8(forge(Buffer.from(remark).toString('utf8'))), utf8(stranger.sign(text)), utf8('x'));
      }),
    );
    expect(problems.map(({ says }) => says.replace(/^entry \d+ of 2026: /, '')).sort()).toEqual([
      expect.stringMatching(/^it is signed by stranger/),
      'the note has no empty line before its signatures',
      "the operator's signature does not fit its text",
    ]);
  });
});
