/** Texts of the log that others write and read: the examples of the C2SP specifications, and what has to be refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  KeyError,
  cosignaturesOf,
  openCheckpoint,
  openNote,
  parseVerifier,
  parseWitnessVerifier,
  sha256,
  signingKeyFromSeed,
  witnessSigningKey,
} from '../keys.ts';
import { type ActionLeaf, MAX_ACTION_EVIDENCE, formatActionLeaf, parseActionLeaf } from './action-leaf.ts';
import { formatAddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts';
import { MAX_ANNOTATION_CHARS, formatAnnotationLeaf, parseAnnotationLeaf } from './annotation-leaf.ts';
import { encodeBase64, utf8 } from './bytes.ts';
import { formatCheckpointText, parseCheckpointText } from './checkpoint.ts';
import { MAX_COSIGNATURE_TIME_S, cosignedText, joinCosignature, splitCosignature } from './cosignature.ts';
import { formatNote, parseNote } from './note.ts';
import { type Policy, formatPolicy, parsePolicy, policyMet } from './policy.ts';
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts';

// c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature, their examples.
const exampleText = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
const exampleLogLine =
  '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n';
const exampleWitnessLine =
  '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n';

const seed = (text: string): Uint8Array => sha256(utf8(text));
const log = signingKeyFromSeed('example.com/log/2026', seed('log'));
const witness = witnessSigningKey('witness.example.com/w1', seed('witness'));
const root = encodeBase64(seed('root'));
/** The same bytes with a stray bit in the last letter. */
const looseRoot = root.replace(
  /(.)=$/,
  (_, letter: string) => `${String.fromCharCode(letter.charCodeAt(0) + 1)}=`,
);
const text = formatCheckpointText({ origin: log.name, size: 9, root });
const checkpoint = log.sign(text);
const withLine = (note: string, lines: string): string => note + lines;
const lineOf = (note: string): string => note.slice(note.lastIndexOf('—'));

describe('the notes of the specifications', () => {
  // c2sp.org/signed-note, its example.
  const note =
    'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n' +
    '— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n';
  test.each([
    note,
    exampleText + '\n' + exampleLogLine,
    exampleText + '\n' + exampleLogLine + exampleWitnessLine,
  ])('is read and comes back', (example) => {
    const parsed = parseNote(example);
    if ('error' in parsed) throw new Error(parsed.error);
    expect(formatNote(parsed)).toBe(example);
  });
  test('the checkpoint, and the time of its cosignature', () => {
    const parsed = parseCheckpointText(exampleText);
    expect(parsed).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    const cosigned = parseNote(`${exampleText}\n${exampleLogLine}${exampleWitnessLine}`);
    if ('error' in cosigned) throw new Error(cosigned.error);
    const { timeS } = splitCosignature(cosigned.signatures[1]?.bytes ?? new Uint8Array()) ?? {};
    expect(timeS).toBe(1_679_315_147);
    expect(cosignedText(1_679_315_147, exampleText)).toBe(`cosignature/v1\ntime 1679315147\n${exampleText}`);
  });
  test('add-checkpoint', () => {
    const request =
      'old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n' +
      '5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n' +
      `${exampleText}\n${exampleLogLine}` +
      '— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n';
    const parsed = parseAddCheckpoint(request);
    if ('error' in parsed) throw new Error(parsed.error);
    expect([parsed.oldSize, parsed.proof.length]).toEqual([20_852_014, 4]);
    expect(formatAddCheckpoint(parsed)).toBe(request);
  });
  test('tlog-proof, with signatures where it leaves them out', () => {
    const proof =
      'c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ\nindex 73894\n' +
      'gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\nB95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n' +
      'EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\nRoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n' +
      'AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\n' +
      'example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— example.com/fancylog hI2DJw==\n';
    // Its extra data is no base64 and its signature too short: elided, as the specification says of the latter.
    expect(parseTlogProof(proof)).toHaveProperty('error');
    const good = proof.replace(/^extra .*$/m, 'extra YWdl').replace('hI2DJw==', 'hI2DJwA=');
    const parsed = parseTlogProof(good);
    if ('error' in parsed) throw new Error(parsed.error);
    expect([parsed.index, parsed.proof.length, parsed.extra?.length]).toEqual([73_894, 5, 3]);
    expect(formatTlogProof(parsed)).toBe(good);
  });
});

describe('checkpoints', () => {
  test.each([
    ['a leading zero', text.replace('\n9\n', '\n09\n')],
    ['a sign', text.replace('\n9\n', '\n+9\n')],
    ['a size over 2^53', text.replace('\n9\n', '\n9007199254740992\n')],
    ['an extension line', `${text}more\n`],
    ['no last line feed', text.slice(0, -1)],
    ['an origin with a space', text.replace('example.com', 'example com')],
    ['no origin', text.slice(text.indexOf('\n'))],
    ['a short root', text.replace(root, 'AAAA')],
    ['a root in another spelling', text.replace(root, looseRoot)],
  ])('%s is refused', (_name, bad) => {
    expect(bad).not.toBe(text);
    expect(parseCheckpointText(bad)).toHaveProperty('error');
  });

  test('are opened by the log’s key alone, with others beside it; the first of its signatures decides', () => {
    const verifier = parseVerifier(log.vkey);
    const other = signingKeyFromSeed('other', seed('other'));
    expect(openCheckpoint(checkpoint, verifier)).toMatchObject({ checkpoint: { size: 9, root }, text });
    const crowded = withLine(checkpoint, lineOf(other.sign(text)));
    expect(openCheckpoint(crowded, verifier)).toHaveProperty('checkpoint');
    expect(openNote(crowded, [verifier])).toMatchObject({ code: 'malformed' });
    expect(openCheckpoint(other.sign(text), verifier)).toMatchObject({ code: 'unknown-key' });
    const bad = lineOf(log.sign('another\n'));
    expect(openCheckpoint(`${text}\n${bad}${lineOf(checkpoint)}`, verifier)).toMatchObject({
      code: 'bad-signature',
    });
    expect(openCheckpoint(withLine(checkpoint, bad), verifier)).toHaveProperty('checkpoint');
    expect(openCheckpoint(log.sign('another\n'), verifier)).toMatchObject({ code: 'malformed' });
    const foreign = log.sign(formatCheckpointText({ origin: 'example.com/log/2027', size: 9, root }));
    expect(openCheckpoint(foreign, verifier)).toMatchObject({ code: 'malformed' });
  });
});

describe('cosignatures', () => {
  const line = (timeS: number, of = text): ReturnType<typeof witness.cosign> => witness.cosign(of, timeS);
  const noteWith = (
    ...lines: ReturnType<typeof line>[]
  ): { text: string; signatures: ReturnType<typeof line>[] } => ({
    text,
    signatures: lines,
  });
  test('are good for their time, their checkpoint and their key alone', () => {
    const known = parseWitnessVerifier(witness.vkey);
    const good = line(1_700_000_000);
    expect(known.verify(text, good.bytes)).toEqual({ timeS: 1_700_000_000 });
    expect(known.verify(`${text}x\n`, good.bytes)).toBeUndefined();
    for (let bit = 0; bit < 72 * 8; bit += 1) {
      const changed = good.bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(known.verify(text, changed)).toBeUndefined();
    }
    expect(known.verify(text, good.bytes.subarray(8))).toBeUndefined();
    const other = witnessSigningKey(witness.name, seed('another'));
    expect(
      cosignaturesOf(noteWith(other.cosign(text, 1), line(5, 'x\n'), line(2), line(3)), [known]),
    ).toMatchObject([{ timeS: 2, witness: { name: witness.name } }]);
  });
  test('a witness’s key is not a log’s key, nor the other way', () => {
    expect(() => parseVerifier(witness.vkey)).toThrow(KeyError);
    expect(() => parseWitnessVerifier(log.vkey)).toThrow(KeyError);
    expect(() => witnessSigningKey('a b', seed('a'))).toThrow(KeyError);
    expect(() => witnessSigningKey('a', new Uint8Array(31))).toThrow(KeyError);
  });
  test('times', () => {
    const signature = new Uint8Array(64);
    fc.assert(
      fc.property(fc.nat(MAX_COSIGNATURE_TIME_S), (timeS) => {
        expect(splitCosignature(joinCosignature({ timeS, signature }))).toEqual({ timeS, signature });
      }),
    );
    for (const timeS of [-1, 0.5, MAX_COSIGNATURE_TIME_S + 1, Number.NaN])
      expect(() => joinCosignature({ timeS, signature })).toThrow(RangeError);
    expect(() => joinCosignature({ timeS: 1, signature: new Uint8Array(63) })).toThrow(RangeError);
    expect(splitCosignature(new Uint8Array(72).fill(255))).toBeUndefined();
  });
});

describe('proofs and requests that are refused', () => {
  const hashes = Array.from({ length: 63 }, (_, i) => Uint8Array.from(seed(`${i}`)));
  const proof = formatTlogProof({ index: 8, proof: hashes, checkpoint });
  const request = formatAddCheckpoint({ oldSize: 9, proof: hashes, checkpoint });
  test('63 hashes are read and 64 are not', () => {
    expect(parseTlogProof(proof)).not.toHaveProperty('error');
    expect(parseAddCheckpoint(request)).not.toHaveProperty('error');
    expect(parseTlogProof(proof.replace('index 8\n', `index 8\n${root}\n`))).toHaveProperty('error');
    expect(parseAddCheckpoint(request.replace('old 9\n', `old 9\n${root}\n`))).toHaveProperty('error');
    const more = [...hashes, ...hashes];
    expect(() => formatTlogProof({ index: 8, proof: more, checkpoint })).toThrow(RangeError);
    expect(() => formatAddCheckpoint({ oldSize: 9, proof: more, checkpoint })).toThrow(RangeError);
  });
  test.each([
    ['an index outside', 'index 8', 'index 9'],
    ['a leading zero', 'index 8', 'index 08'],
    ['no index', 'index 8\n', ''],
    ['two indexes', 'index 8', 'index 8\nindex 8'],
    ['the extra data after the index', 'index 8', 'index 8\nextra AAAA'],
    ['empty extra data', 'index 8', 'extra \nindex 8'],
    ['another version', '@v1', '@v2'],
    ['the header twice', 'index 8', 'c2sp.org/tlog-proof@v1\nindex 8'],
    ['a checkpoint without a signature', lineOf(checkpoint), ''],
    ['an extension line', `${root}\n\n—`, `${root}\nmore\n\n—`],
  ])('a proof with %s', (_name, from, to) => {
    expect(proof).toContain(from);
    expect(parseTlogProof(proof.replace(from, to))).toHaveProperty('error');
  });
  test.each([
    ['an old size over the new', 'old 9', 'old 10'],
    ['a leading zero', 'old 9', 'old 09'],
    ['no old size', 'old 9\n', ''],
    ['two', 'old 9', 'old 9\nold 9'],
    ['no empty line', '\n\nexample', '\nexample'],
    ['two empty lines', '\n\nexample', '\n\n\nexample'],
  ])('a request with %s', (_name, from, to) => {
    expect(request).toContain(from);
    expect(parseAddCheckpoint(request.replace(from, to))).toHaveProperty('error');
  });
});

describe('policies', () => {
  const witnesses = ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'].map((name) => ({
    name,
    vkey: witnessSigningKey(name, seed(name)).vkey,
  }));
  const lines = witnesses.map(({ name, vkey }) => `witness ${name} ${vkey}`);
  // c2sp.org/tlog-policy, its example, with keys where it leaves them out.
  const example = `log ${log.vkey}

${lines.slice(0, 3).join('\n')}
group X-witnesses 2 X1 X2 X3

${lines.slice(3).join('\n')}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;
  const read = (policy: string): Policy => {
    const parsed = parsePolicy(policy, sha256);
    if ('error' in parsed) throw new Error(parsed.error);
    return parsed;
  };
  const groups = [
    { name: 'X-witnesses', threshold: 2, members: ['X1', 'X2', 'X3'] },
    { name: 'Y-witnesses', threshold: 1, members: ['Y1', 'Y2', 'Y3'] },
    { name: 'X-and-Y', threshold: 2, members: ['X-witnesses', 'Y-witnesses'] },
  ];

  test('the example of the specification: two of X and one of Y, over all that may have cosigned', () => {
    const policy = read(example);
    expect(policy).toEqual({ logs: [{ vkey: log.vkey }], witnesses, groups, quorum: 'X-and-Y' });
    expect(read(formatPolicy(policy))).toEqual(policy);
    for (let mask = 0; mask < 64; mask += 1) {
      const cosigned = witnesses.map(({ name }) => name).filter((_, i) => (mask >> i) % 2 === 1);
      const of = (letter: string): number => cosigned.filter((name) => name.startsWith(letter)).length;
      expect(policyMet(policy, cosigned), cosigned.join(' ')).toBe(of('X') >= 2 && of('Y') >= 1);
    }
    // Names of groups are nobody's who can cosign.
    expect(policyMet(policy, ['X-and-Y', 'X-witnesses', 'stranger'])).toBe(false);
  });
  test('white space, comments, addresses, a quorum of one and of none', () => {
    const policy = read(
      `\t# a comment\n  log\t${log.vkey}   https://example.com/log \n\n${lines[0]} https://w \nquorum X1\n`,
    );
    expect(policy.logs).toEqual([{ vkey: log.vkey, url: 'https://example.com/log' }]);
    expect(policy.witnesses).toMatchObject([{ url: 'https://w' }]);
    expect([policyMet(policy, ['X1']), policyMet(policy, [])]).toEqual([true, false]);
    expect(policyMet(read('quorum none\n'), [])).toBe(true);
  });
  const [x1 = '', x2 = ''] = lines;
  const renamed = witnessSigningKey('renamed', seed('X1')).vkey;
  test.each([
    ['no quorum', `${x1}\n`, 'there is no quorum line'],
    ['two quorums', 'quorum none\nquorum none\n', 'line 2: a second'],
    ['a quorum of nobody known', 'quorum X1\n', 'line 1: X1 is not defined'],
    ['a quorum before its witness', `quorum X1\n${x1}\n`, 'line 1: X1 is not defined'],
    ['a witness twice', `${x1}\n${x1}\nquorum none\n`, 'line 2: X1 is defined already'],
    ['a key by another name', `${x1}\nwitness Z ${renamed}\nquorum none\n`, 'line 2: this witness key is in the policy'],
    ['a log twice', `log ${log.vkey}\nlog ${log.vkey}\nquorum none\n`, 'line 2: this log key is in the policy'],
    ['a log with a witness’s key', `log ${renamed}\nquorum none\n`, 'line 1: not an Ed25519 verifier key (type 01'],
    ['a witness with a log’s key', `witness w ${log.vkey}\nquorum none\n`, 'line 1: not an Ed25519 verifier key (type 04'],
    ['a witness named none', `witness none ${renamed}\nquorum none\n`, 'line 1: none has a meaning'],
    ['none as a member', `${x1}\ngroup g any X1 none\nquorum g\n`, 'line 2: none is not defined'],
    ['a group of itself', `${x1}\ngroup g any X1 g\nquorum g\n`, 'line 2: g is not defined'],
    ['a member of two groups', `${x1}\n${x2}\ngroup g any X1\ngroup h any X1 X2\nquorum g\n`, 'line 4: X1 is a member'],
    ['a member twice', `${x1}\ngroup g any X1 X1\nquorum g\n`, 'line 2: X1 is a member'],
    ['a group of nobody', 'group g all\nquorum none\n', 'line 1: not: group'],
    ['a threshold of 0', `${x1}\ngroup g 0 X1\nquorum g\n`, 'line 2: the number is not 1 to 1'],
    ['a threshold too high', `${x1}\ngroup g 2 X1\nquorum g\n`, 'line 2: the number is not 1 to 1'],
    ['a word too many', `log ${log.vkey} https://a b\nquorum none\n`, 'line 1: not: log'],
    ['an unknown line', 'logs\nquorum none\n', 'line 1: not a line of'],
    ['a return', 'quorum none\r\n', 'line 1: a control character'],
    ['no last line feed', 'quorum none', 'the last line does not end'],
  ])('%s: %j', (_name, policy, message) => {
    const parsed = parsePolicy(policy, sha256);
    expect('error' in parsed ? parsed.error : 'read').toContain(message);
  }); // prettier-ignore
  test('a thousand of each are read at once', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => witnessSigningKey(`w${i}`, seed(`w${i}`)).vkey);
    const members = many.map((_, i) => `w${i}`);
    const big = `${many.map((vkey, i) => `witness w${i} ${vkey}\n`).join('')}group g 501 ${members.join(' ')}\nquorum g\n`;
    expect(policyMet(read(big), members.slice(0, 501))).toBe(true);
    expect(policyMet(read(big), members.slice(0, 500))).toBe(false);
    expect(parsePolicy(`${'#'.repeat(300_000)}\n`, sha256)).toHaveProperty('error');
  });
});

describe('actions and remarks', () => {
  const origin = 'example.com/log';
  const action: ActionLeaf = {
    origin,
    by: 'highwater',
    what: 'move',
    subject: 'rpc/eu',
    at: 1,
    evidence: [],
  };
  const ofNote = (note: string): object => parseActionLeaf(formatActionLeaf({ ...action, note }));
  const ofText = (words: string): object =>
    parseAnnotationLeaf(formatAnnotationLeaf({ origin, of: root, at: 1, text: words }));
  const leaf = (i: number): string => encodeBase64(seed(`${i}`));

  test('an action has no, one or 64 leaves as evidence, each once, and a note or none', () => {
    for (const count of [0, 1, MAX_ACTION_EVIDENCE]) {
      const some = { ...action, evidence: Array.from({ length: count }, (_, i) => leaf(i)) };
      expect(parseActionLeaf(formatActionLeaf(some))).toEqual(some);
      expect(parseActionLeaf(formatActionLeaf({ ...some, note: 'why' }))).toEqual({ ...some, note: 'why' });
    }
    const over = Array.from({ length: MAX_ACTION_EVIDENCE + 1 }, (_, i) => leaf(i));
    for (const evidence of [over, [root, root], ['AAAA']])
      expect(parseActionLeaf(formatActionLeaf({ ...action, evidence }))).toHaveProperty('error');
  });
  test.each([{ by: 'somebody' }, { what: 'Move' }, { subject: '' }, { subject: 'a b' }, { subject: 'é' }, { subject: 'x'.repeat(257) },
    { at: -1 }, { at: 8_640_000_000_000_001 }, { origin: 'a b' }])('an action with %j is refused', (change) => {
    expect(parseActionLeaf(formatActionLeaf({ ...action, ...(change as Partial<ActionLeaf>) }))).toHaveProperty('error');
  }); // prettier-ignore

  test('words of people are taken as they are, up to their length', () => {
    for (const words of ['50 % of it', 'Größe – 大きさ – العربية', 'a — b', '👩‍👩‍👧', 'x'.repeat(500)])
      for (const read of [ofNote, ofText]) expect(read(words), words).not.toHaveProperty('error');
    expect(ofText('x'.repeat(MAX_ANNOTATION_CHARS))).not.toHaveProperty('error');
    expect(ofText('x'.repeat(MAX_ANNOTATION_CHARS + 1))).toHaveProperty('error');
    expect(ofNote('x'.repeat(501))).toHaveProperty('error');
  });
  test('what is not seen, turns the direction or breaks the line is refused', () => {
    const codes = [0, 9, 10, 13, 0x1b, 0x7f, 0x85, 0x9f, 0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e,
      0x2060, 0x2066, 0x2069, 0xfeff, 0xfff9, 0xffff, 0xd800, 0xe0041]; // prettier-ignore
    for (const code of codes) {
      const words = `a${String.fromCodePoint(code)}b`;
      for (const read of [ofNote, ofText]) expect(read(words), code.toString(16)).toHaveProperty('error');
    }
    for (const words of ['', ' ', ' a', 'a ', '\u00a0a']) {
      for (const read of [ofNote, ofText]) expect(read(words), JSON.stringify(words)).toHaveProperty('error');
    }
  });
});
