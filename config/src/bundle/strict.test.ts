/**
 * Of a bundle every byte is vouched for: whichever is changed, and however, is noticed. Each byte of the small files is changed in
 * some ways, and those of the large ones at random places.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256, witnessSigningKey } from '../keys.ts';
import { nodeChecker } from '../node-checker.ts';
import { encodeBase64, utf8 } from '../proof/bytes.ts';
import { formatNote, parseNote } from '../proof/note.ts';
import { formatTlogProof, parseTlogProof } from '../proof/tlog-proof.ts';
import { formatReport } from '../report/report.ts';
import { sampleReport } from '../report/testing/sample.ts';
import { renderCsv } from '../report/csv.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderReadme } from '../report/readme.ts';
import { bundledCheckpoint, bundledPolicy, bundledProof } from './bundled.ts';
import type { Checker } from './checker.ts';
import { checkBundle, checkReport } from './check-bundle.ts';
import { type Found, find } from './evidence.ts';
import { names } from './files.ts';
import { Reading } from './reading.ts';
import { type Assembly, assembleEvidence, assembleReport, assembledLogs } from './testing/assemble.ts';
import { filesOf } from './testing/files.ts';
import { smallBundle } from './testing/small.ts';

type Files = ReadonlyMap<string, Uint8Array>;

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
let state = seed;
const random = (below: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

/** What becomes of a byte. */
const kinds: readonly (readonly [string, (byte: number) => number])[] = [
  ['the next', (byte) => (byte + 1) & 255],
  ['a bit', (byte) => byte ^ (1 << random(8))],
  ['a space', () => 0x20],
  ['a line feed', () => 0x0a],
  ['the other case', (byte) => byte ^ 0x20],
  ['any', (byte) => byte ^ (1 + random(255))],
];

/** That of the same text the same signature is good is found out once. */
function remembering(checker: Checker): Checker {
  const known = new Map<string, Promise<boolean>>();
  return {
    ...checker,
    verify(key, message, signature) {
      const all = Buffer.concat([key.publicKey, signature, message]).toString('latin1');
      const verdict = known.get(all) ?? checker.verify(key, message, signature);
      known.set(all, verdict);
      return verdict;
    },
  };
}

const checker = remembering(nodeChecker());
const [w1, w2, stranger] = ['w1', 'w2', 'w3'].map((name) =>
  witnessSigningKey(`w.example.com/${name}`, sha256(utf8(name))),
) as [Witness, Witness, Witness];
type Witness = ReturnType<typeof witnessSigningKey>;
/** Any one of them: neither the number, nor what a witness is called, shows in the cosignatures. */
const policy = {
  logs: [],
  witnesses: [
    { name: 'first', vkey: w1.vkey },
    { name: 'second', vkey: w2.vkey },
  ],
  groups: [{ name: 'both', threshold: 2, members: ['first', 'second'] }],
  quorum: 'both',
};
const evidenceNames = /^(?:range|keys|policy|logs|leaves|configs|bodies)(?:\/|$)/;

let assembly: Assembly;
let honest: Files;
let found: Found;

beforeAll(async () => {
  const small = smallBundle({ minutes: 4 });
  const body: Assembly['body'] = (year, index, service) =>
    index === 303 ? 'gone' : small.assembly.body(year, index, service);
  const before = [{ year: 2026, size: 300 }];
  assembly = { ...small.assembly, body, policy, witnesses: [w1, w2], before };
  const files = new Map(assembleEvidence(assembly));
  const reading = new Reading(filesOf(files), checker, {});
  const whole = await find(reading);
  if (whole === undefined) throw new Error(JSON.stringify(reading.problems.list()));
  found = whole;
  const { supersedes: _, ...sample } = sampleReport();
  const report = {
    ...sample,
    month: assembly.month,
    revision: 1,
    minutes: small.range,
    origin: assembly.origin,
    operatorKey: whole.trust.operatorKey,
    witnesses: { signed: whole.trust.witnesses.signed.length, all: whole.trust.witnesses.all },
    logs: assembledLogs(assembly),
    counted: whole.counted,
    logged: whole.logged,
    told: { ...sample.told, services: [], incidents: [], before: [] },
  };
  const documents = {
    markdown: renderMarkdown(report),
    csv: renderCsv(report),
    readme: renderReadme(report),
  };
  for (const [name, bytes] of assembleReport(assembly, report, documents)) files.set(name, bytes);
  honest = files;
  expect(formatReport(report)).toBe(textOf(names.report));
});

const textOf = (name: string): string => Buffer.from(honest.get(name) ?? []).toString('utf8');

/** Problems of a bundle in which one file has other bytes. */
async function problemsWith(name: string, bytes: Uint8Array): Promise<readonly unknown[]> {
  const files = new Map(honest).set(name, bytes);
  if (name === names.end(2026)) {
    // It is noticed in the file itself, so that nothing has to be counted.
    files.delete(names.entries(2026, 1));
    const reading = new Reading(filesOf(files), checker, {});
    await find(reading);
    return reading.problems.list().filter(({ file }) => file === name);
  }
  if (evidenceNames.test(name)) return (await checkBundle(filesOf(files), checker)).problems;
  // What was found stays the same.
  if (name === names.note || name === names.proof || name === names.continues)
    for (const other of [names.markdown, names.csv, names.readme]) files.delete(other);
  const reading = new Reading(filesOf(files), checker, {});
  await checkReport(reading, found);
  return reading.problems.list().filter((problem) => files.has(problem.file));
}

/** Changes the byte at a place in one way; undefined where nothing was changed, or it was noticed. */
async function unnoticed(name: string, at: number, kind: number): Promise<string | undefined> {
  const bytes = Uint8Array.from(honest.get(name) ?? []);
  const before = bytes[at] ?? 0;
  const [word, change] = kinds[kind % kinds.length] ?? ['', (byte: number) => byte];
  bytes[at] = change(before);
  if (bytes[at] === before || (await problemsWith(name, bytes)).length > 0) return undefined;
  return `${name}, byte ${at}: ${before} to ${bytes[at]} (${word})`;
}

describe(`every byte (seed ${seed})`, () => {
  it('of an honest bundle is right', async () => {
    expect((await checkBundle(filesOf(honest), checker)).problems).toEqual([]);
    expect(textOf(names.bodies(20_757, 'rpc', 0))).toMatch(/^missing 2026 303 gone\n/);
  });

  it.each([
    names.range,
    names.keys,
    names.policy,
    names.start(2026),
    names.end(2026),
    names.consistency(2026),
    names.frontier(2026),
    names.leaf(2026, 0),
    names.leafProof(2026, 0),
    names.note,
    names.proof,
    names.continues,
  ])('of %s', async (name) => {
    const length = honest.get(name)?.length ?? 0;
    expect(length).toBeGreaterThan(0);
    for (let at = 0; at < length; at += 1) {
      // For these a report of many figures is read each time.
      const times = name.startsWith('report') ? 1 : 2;
      for (let kind = at + seed; kind < at + seed + times; kind += 1)
        expect(await unnoticed(name, at, kind)).toBeUndefined();
    }
  });

  it.each([
    [/^leaves\//, 100],
    [/^configs\//, 40],
    [/^logs\/.*\/entries\//, 200],
    [/^bodies\//, 30],
    [/^report\.json$/, 60],
    [/^report\.md$/, 20],
    [/^report\.csv$/, 20],
    [/^README\.md$/, 20],
  ])('of %s, sampled', async (pattern, times) => {
    const own = [...honest.keys()].filter((name) => pattern.test(name));
    expect(own).not.toEqual([]);
    for (let i = 0; i < times; i += 1) {
      const name = own[random(own.length)] ?? '';
      const at = random(honest.get(name)?.length ?? 0);
      expect(await unnoticed(name, at, i)).toBeUndefined();
    }
  });

  it('of what a bundle says to be missing', async () => {
    const name = names.bodies(20_757, 'rpc', 0);
    const length = 'missing 2026 303 gone\n'.length;
    for (let at = 0; at < length; at += 1) expect(await unnoticed(name, at, at + seed)).toBeUndefined();
  });

  it.each([
    ['a byte behind the end', (text: string) => `${text}\n`],
    ['no end', (text: string) => text.slice(0, -1)],
    ['other line ends', (text: string) => text.replaceAll('\n', '\r\n')],
    ['a byte order mark', (text: string) => `\ufeff${text}`],
    ['an empty line', (text: string) => text.replace('\n', '\n\n')],
    ['its last two lines the other way round', swapped],
  ])('%s is another file', async (_, change) => {
    for (const name of [...honest.keys()].filter((file) => !/entries|bodies/.test(file))) {
      const text = change(textOf(name));
      if (text === textOf(name)) continue;
      expect(await problemsWith(name, utf8(text)), name).not.toEqual([]);
    }
  });
});

function swapped(text: string): string {
  const lines = text.split('\n');
  const [last = '', end = ''] = lines.splice(-2);
  const before = lines.pop();
  return before === undefined ? text : [...lines, last, before, end].join('\n');
}

describe('what stands on a checkpoint', () => {
  const told = async (name: string, text: string): Promise<readonly unknown[]> => {
    const files = new Map(honest).set(name, utf8(text));
    return (await checkBundle(filesOf(files), checker)).problems;
  };
  const signedBy = (checkpoint: string, ...witnesses: readonly Witness[]): string => {
    const note = parseNote(checkpoint);
    if ('error' in note) throw new Error(note.error);
    const more = witnesses.map((witness) => witness.cosign(note.text, 1_800_000_001));
    return formatNote({ ...note, signatures: [...note.signatures.slice(0, 1), ...more] });
  };
  const mismatch = (file: string, says: RegExp) => ({
    kind: 'mismatch',
    file,
    says: expect.stringMatching(says) as string,
  });

  it('is a signature that nobody asked for', async () => {
    const start = names.start(2026);
    expect(await told(start, signedBy(textOf(start), w1))).toEqual([
      mismatch(
        start,
        /^line 6: a signature of w\.example\.com\/w1\+[0-9a-f]{8}, where that of the log stands/,
      ),
    ]);
    const end = names.end(2026);
    expect(await told(end, signedBy(textOf(end), w1, w2, stranger))).toEqual([
      mismatch(end, /^line 8: .*\/w3\+[0-9a-f]{8}, which the bundle's policy does not know/),
    ]);
    expect(await told(end, signedBy(textOf(end), w1, w2, w1))).toEqual([
      mismatch(end, /^line 8: a cosignature of first that is out of the policy's order, or there twice/),
    ]);
    const proof = names.leafProof(2026, 0);
    const parsed = parseTlogProof(textOf(proof));
    if ('error' in parsed) throw new Error(parsed.error);
    const checkpoint = signedBy(parsed.checkpoint, w1);
    const line = textOf(proof).split('\n').length;
    expect(await told(proof, formatTlogProof({ ...parsed, checkpoint }))).toEqual([
      mismatch(proof, new RegExp(`^line ${line}: `)),
    ]);
    for (const name of [proof, names.proof]) {
      const given = textOf(name).replace('\nindex', '\nextra AAAA\nindex');
      expect(await told(name, given)).toContainEqual(mismatch(name, /extra data/));
    }
  });

  it('is judged by a reader by the policy that the reader has', async () => {
    const end = names.end(2026);
    const files = new Map(honest).set(end, utf8(signedBy(textOf(end), w1, w2, stranger)));
    const parsed = parseTlogProof(textOf(names.proof));
    if ('error' in parsed) throw new Error(parsed.error);
    const checkpoint = signedBy(parsed.checkpoint, w1, w2, stranger);
    files.set(names.proof, utf8(formatTlogProof({ ...parsed, checkpoint })));
    const own = `# mine\nwitness me ${stranger.vkey} https://w.example.com\nquorum me\n`;
    const { problems, evidence } = await checkBundle(filesOf(files), checker, { policy: own });
    expect(problems).toEqual([]);
    expect(evidence.trust.witnesses).toEqual({ signed: ['me'], all: 1, quorum: 'me' });
  });

  it('is what a bundle needs, where it is put into one', () => {
    const all = { ...policy, logs: assembledLogs(assembly).map(({ key }) => ({ vkey: key })) };
    const [{ vkey }] = all.logs as [{ vkey: string }];
    const end = textOf(names.end(2026));
    const bundled = (text: string, of: typeof all | undefined): string =>
      bundledCheckpoint(text, vkey, of, sha256);
    const other = signedBy(end, stranger, w2, w1, w2);
    expect(bundled(other, all)).toBe(signedBy(end, w1, w2));
    expect(bundled(end, all)).toBe(end);
    expect(bundled(end, undefined)).toBe(signedBy(end));
    const proof = { extra: utf8('more'), index: 1, proof: [] };
    expect(bundledProof(formatTlogProof({ ...proof, checkpoint: other }), all, sha256)).toBe(
      formatTlogProof({ index: 1, proof: [], checkpoint: signedBy(end, w1, w2) }),
    );
    const witnesses = policy.witnesses.map((witness) => ({ ...witness, url: 'https://w.example.com' }));
    expect(bundledPolicy({ ...all, witnesses })).toBe(textOf(names.policy));
  });

  it('of which the report commits to who is asked', async () => {
    const lower = textOf(names.policy).replace('both 2', 'both 1');
    expect(await told(names.policy, lower)).toEqual([
      mismatch(names.report, /^logged\.files\.policy: the report says "[^"]+", the evidence gives/),
    ]);
    expect(encodeBase64(sha256(utf8(textOf(names.policy))))).toBe(found.logged.files.policy);
  });
});
