/** The golden files of config/testdata/wire: each note as it is sent or logged, made again and read back. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  cosignaturesOf,
  openCheckpoint,
  openNote,
  parseVerifier,
  parseWitnessVerifier,
  sha256,
  signingKeyFromSeed,
  witnessSigningKey,
} from '../keys.ts';
import { formatActionLeaf, parseActionLeaf } from './action-leaf.ts';
import { formatAddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts';
import { formatAnnotationLeaf, parseAnnotationLeaf } from './annotation-leaf.ts';
import { bodyHashOf, formatAssignmentText, parseAssignmentText } from './assignment.ts';
import {
  type Batch,
  bodiesOf,
  bodyRefs,
  formatBatchText,
  linesOfBody,
  minutesOf,
  parseBatchText,
} from './batch.ts';
import { encodeBase64, utf8 } from './bytes.ts';
import { formatCheckpointText, parseCheckpointText } from './checkpoint.ts';
import { cosignedText } from './cosignature.ts';
import { formatFrameText, parseFrameText } from './frame.ts';
import { ZERO_HASH, emptyRoot, leafHash, leafHashOfNote } from './leaf-hash.ts';
import {
  formatConfigLeaf,
  formatMaintLeaf,
  formatProbeLeaf,
  parseConfigLeaf,
  parseMaintLeaf,
  parseProbeLeaf,
} from './leaves.ts';
import { formatLine, parseLine } from './line.ts';
import { formatNote, parseNote } from './note.ts';
import { formatPolicy, parsePolicy, policyMet } from './policy.ts';
import { type RuleConfig, formatProjection, parseProjection, saltedHash } from './projection.ts';
import { formatReportLeaf, parseReportLeaf } from './report-leaf.ts';
import { authorizationOf, formatRequestText, noteOfAuthorization, parseRequestText } from './request.ts';
import { canonicalSettings } from './settings.ts';
import { buildTiles } from './testing/tree.ts';
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts';
import {
  consistencyProof,
  inclusionProof,
  rootOfLeaves,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts';

const folder = new URL('../../testdata/wire/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const goldenKey = (name: string): ReturnType<typeof signingKeyFromSeed> =>
  signingKeyFromSeed(name, sha256(utf8(`highwater golden key ${name}`)));

const origin = 'status.example.com/log';
const operator = goldenKey(origin);
const probe = goldenKey('eu-1');

const config: RuleConfig = {
  seed: '00112233445566778899aabbccddeeff',
  regions: ['eu', 'us'],
  probes: [{ id: 'eu-1', region: 'eu', operator: 'Example Ltd', vkey: probe.vkey }],
  controls: ['https://www.example.org', 'tcp://192.0.2.53:53'],
  chains: [
    {
      name: 'devnet',
      family: 'evm',
      chainId: 31_337,
      blockTimeMs: 1_000,
      maxLagBlocks: 5,
      maxAgeMs: 10_000,
      references: [{ host: 'rpc.elsewhere.example', operator: 'Elsewhere' }],
    },
  ],
  services: [
    {
      id: 'rpc',
      minUp: 1,
      visibility: 'public',
      chain: 'devnet',
      nodes: [
        {
          id: 'eu',
          zone: 'eu',
          operator: 'Example Ltd',
          urlHash: saltedHash('salt', 'https://rpc.example.com', sha256),
        },
      ],
    },
  ],
  monitors: [
    {
      id: 'rpc/eu/calls',
      kind: 'jsonrpc',
      intervalMs: 60_000,
      timeoutMs: 10_000,
      chain: 'devnet',
      targetHash: saltedHash('salt', 'https://rpc.example.com 192.0.2.10', sha256),
      settings: canonicalSettings({
        methods: [
          { method: 'eth_blockNumber' },
          { method: 'eth_getBlockByNumber', params: ['latest', false] },
        ],
      }),
      regions: ['eu', 'us'],
      quorum: 2,
      counts: true,
    },
    {
      id: 'rpc/eu/head',
      kind: 'head',
      intervalMs: 30_000,
      timeoutMs: 10_000,
      chain: 'devnet',
      targetHash: saltedHash('salt', 'https://rpc.example.com 192.0.2.10', sha256),
      settings: [],
      regions: ['eu'],
      counts: true,
    },
  ],
};

const projection = formatProjection(config);
const configLeaf = {
  origin,
  from: 29_920_320,
  bytes: utf8(projection).length,
  hash: encodeBase64(sha256(utf8(projection))),
};
const configHash = leafHashOfNote(operator.sign(formatConfigLeaf(configLeaf)), sha256);
const lines = read('lines.txt')
  .split('\n')
  .filter((line) => line.startsWith('rpc/eu/'));
const bodies = bodiesOf(lines);
const batch: Batch = {
  origin,
  probe: 'eu-1',
  epoch: 1,
  number: 7,
  prev: encodeBase64(sha256(utf8('the batch before'))),
  minutes: minutesOf(lines) ?? { first: 0, last: 0 },
  config: configHash,
  clock: { boundMs: 3, ageS: 12 },
  tip: { size: 0, root: encodeBase64(emptyRoot(sha256)) },
  gaps: [
    { first: 0, last: 2 },
    { first: 5, last: 5 },
  ],
  bodies: bodyRefs(bodies, sha256),
};
const empty: Batch = {
  ...batch,
  number: 0,
  prev: ZERO_HASH,
  minutes: { first: 29_920_320, last: 29_920_320 },
  clock: { boundMs: -1, ageS: 0 },
  gaps: [],
  bodies: [],
};
const body = '{"probe":"eu-1"}';
const maint = {
  act: 'declare' as const,
  origin,
  from: 29_920_400,
  last: 29_920_459,
  subjects: ['rpc', 'rpc/eu'],
};
const request = {
  origin,
  probe: 'eu-1',
  method: 'GET' as const,
  target: '/v1/assignments?after=3&wait=30s',
  at: 1_795_219_200_000,
};
const enrolment = {
  act: 'enrol' as const,
  origin,
  from: 29_920_320,
  probe: 'eu-1',
  region: 'eu',
  key: probe.vkey,
  operator: 'Example Ltd',
};
const action = {
  origin,
  by: 'operator' as const,
  what: 'acknowledge',
  subject: 'rpc/eu',
  at: 1_795_219_260_000,
  evidence: [leafHashOfNote(read('batch.note'), sha256), leafHashOfNote(read('maint.note'), sha256)],
  note: 'The second node is being replaced – ticket 12.',
};
const annotation = {
  origin,
  of: leafHashOfNote(read('maint-cancel.note'), sha256),
  at: 1_795_219_320_000,
  text: 'The work was done in half the time: 50 % of it was not needed.',
};

// A log of this year with the notes of this folder as its entries, and a witness that has seen it.
const log = goldenKey(`${origin}/2026`);
const witness = witnessSigningKey(
  'witness.example.com/w1',
  sha256(utf8('highwater golden key witness.example.com/w1')),
);
const entries = ['config.note', 'probe-enrol.note', 'batch-empty.note', 'batch.note', 'maint.note'];
const leaves = entries.map((name) => leafHash(utf8(read(name)), sha256));
const checkpoint = {
  origin: log.name,
  size: leaves.length,
  root: encodeBase64(rootOfLeaves(leaves, sha256)),
};
const signedCheckpoint = log.sign(formatCheckpointText(checkpoint));
const cosigned = ((): string => {
  const note = parseNote(signedCheckpoint);
  if ('error' in note) throw new Error(note.error);
  return formatNote({ ...note, signatures: [...note.signatures, witness.cosign(note.text, 1_795_219_380)] });
})();
const tiles = buildTiles(leaves)(leaves.length);
// Plain bytes, as parsers give them.
const plain = (hashes: readonly Uint8Array[]): Uint8Array[] => hashes.map((hash) => Uint8Array.from(hash));
const proof = {
  index: 3,
  proof: plain(inclusionProof(3, leaves.length, tiles, sha256)),
  checkpoint: cosigned,
};
const addition = {
  oldSize: 3,
  proof: plain(consistencyProof(3, leaves.length, tiles, sha256)),
  checkpoint: signedCheckpoint,
};
const policy = {
  logs: [{ vkey: log.vkey, url: 'https://status.example.com/log/2026' }],
  witnesses: [{ name: 'w1', vkey: witness.vkey, url: 'https://witness.example.com/w1' }],
  groups: [{ name: 'all-of-them', threshold: 1, members: ['w1'] }],
  quorum: 'all-of-them',
};
// What it is of is the text of another file, in place of a report's JSON.
const report = {
  origin,
  month: '2026-10',
  revision: 2,
  minutes: { first: 29_846_880, last: 29_891_519 },
  trees: [{ year: 2026, size: leaves.length, root: checkpoint.root }],
  bytes: utf8(read('assignment.json')).length,
  hash: encodeBase64(sha256(utf8(read('assignment.json')))),
};

type Parse = (text: string) => object;
const goldens: readonly (readonly [string, typeof probe, object, string, Parse])[] = [
  ['config.note', operator, configLeaf, formatConfigLeaf(configLeaf), parseConfigLeaf],
  ['probe-enrol.note', operator, enrolment, formatProbeLeaf(enrolment), parseProbeLeaf],
  [
    'probe-revoke.note',
    operator,
    { ...enrolment, act: 'revoke', from: 29_930_000 },
    formatProbeLeaf({ ...enrolment, act: 'revoke', from: 29_930_000 }),
    parseProbeLeaf,
  ],
  ['maint.note', operator, maint, formatMaintLeaf(maint), parseMaintLeaf],
  ...((): [string, typeof probe, object, string, Parse][] => {
    const leaf = leafHashOfNote(operator.sign(formatMaintLeaf(maint)), sha256);
    const cancel = { act: 'cancel' as const, origin, from: 29_920_430, leaf };
    return [['maint-cancel.note', operator, cancel, formatMaintLeaf(cancel), parseMaintLeaf]];
  })(),
  ...((): [string, typeof probe, object, string, Parse][] => {
    const note = { origin, probe: 'eu-1', number: 4, config: configHash, bodyHash: bodyHashOf(body, sha256) };
    return [['assignment.note', operator, note, formatAssignmentText(note), parseAssignmentText]];
  })(),
  ...((): [string, typeof probe, object, string, Parse][] => {
    const frame = { origin, probe: 'eu-1', epoch: 1, frame: 42, lines };
    return [['frame.note', probe, frame, formatFrameText(frame), parseFrameText]];
  })(),
  ['batch.note', probe, batch, formatBatchText(batch), parseBatchText],
  ['batch-empty.note', probe, empty, formatBatchText(empty), parseBatchText],
  ['action.note', operator, action, formatActionLeaf(action), parseActionLeaf],
  ['annot.note', operator, annotation, formatAnnotationLeaf(annotation), parseAnnotationLeaf],
  ['report.note', operator, report, formatReportLeaf(report), parseReportLeaf],
  ['checkpoint.note', log, checkpoint, formatCheckpointText(checkpoint), parseCheckpointText],
  ['request.note', probe, request, formatRequestText(request), parseRequestText],
];

describe('notes', () => {
  for (const [name, key, value, text, parse] of goldens) {
    test(`${name} is made byte for byte, opened and read back`, () => {
      const golden = read(name);
      expect(key.sign(text)).toBe(golden);
      const opened = openNote(golden, [parseVerifier(key.vkey)]);
      expect(opened).toMatchObject({ text });
      expect(parse(text)).toEqual(value);
    });
  }

  test('no note is read as one of another type', () => {
    for (const [name, , , text, parse] of goldens) {
      for (const [otherName, , , , otherParse] of goldens) {
        if (otherParse === parse) continue;
        expect(otherParse(text), `${name} as ${otherName}`).toHaveProperty('error');
      }
    }
  });

  test('the keys are those of keys.txt', () => {
    const keys = [operator.vkey, probe.vkey, log.vkey, witness.vkey];
    expect(read('keys.txt')).toBe(`${keys.join('\n')}\n`);
  });

  test('an authorization header carries a request note and nothing else', () => {
    const note = read('request.note');
    expect(noteOfAuthorization(authorizationOf(note))).toBe(note);
    for (const header of ['', 'Bearer abc', 'Highwater', 'Highwater ###', `Highwater ${'A'.repeat(8_192)}`]) {
      expect(noteOfAuthorization(header)).toBeUndefined();
    }
  });
});

describe('texts of the log', () => {
  const parsePolicyText: Parse = (text) => parsePolicy(text, sha256);
  const texts: readonly (readonly [string, object, string, Parse])[] = [
    ['proof.tlog-proof', proof, formatTlogProof(proof), parseTlogProof],
    ['add-checkpoint.txt', addition, formatAddCheckpoint(addition), parseAddCheckpoint],
    ['policy.txt', policy, formatPolicy(policy), parsePolicyText],
  ];
  for (const [name, value, text, parse] of texts) {
    test(`${name} is made byte for byte and read back`, () => {
      expect(text).toBe(read(name));
      expect(parse(text)).toEqual(value);
    });
  }

  test('checkpoint-cosigned.note has a witness beside the log, and both are good', () => {
    expect(cosigned).toBe(read('checkpoint-cosigned.note'));
    const opened = openCheckpoint(cosigned, parseVerifier(log.vkey));
    if ('error' in opened) throw new Error(opened.error);
    expect(opened.checkpoint).toEqual(checkpoint);
    const known = parseWitnessVerifier(witness.vkey);
    expect(cosignaturesOf(opened.note, [known])).toMatchObject([{ timeS: 1_795_219_380 }]);
    expect(policyMet(policy, ['w1'])).toBe(true);
    expect(policyMet(policy, [])).toBe(false);
  });

  test('the proofs in them hold', () => {
    const root = rootOfLeaves(leaves, sha256);
    const oldRoot = rootOfLeaves(leaves.slice(0, 3), sha256);
    const [, , , leaf = new Uint8Array()] = leaves;
    expect(verifyInclusion({ ...proof, leaf, root, size: 5 }, sha256)).toBe(true);
    expect(verifyConsistency({ ...addition, newSize: 5, oldRoot, newRoot: root }, sha256)).toBe(true);
  });

  test('no text of one kind, signed or not, is read as another', () => {
    const kinds: [string, Parse, string[]][] = [
      ...goldens.map(([name, , , text, parse]): [string, Parse, string[]] => [
        name,
        parse,
        [text, read(name)],
      ]),
      [
        'a cosigned text',
        () => ({ error: 'has no parser' }),
        [cosignedText(1, formatCheckpointText(checkpoint))],
      ],
      ...texts.map(([name, , text, parse]): [string, Parse, string[]] => [name, parse, [text]]),
      ['cosigned note', () => ({ error: 'has no parser' }), [cosigned]],
      ['projection', parseProjection, [read('projection.txt')]],
      ['line', parseLine, read('lines.txt').trimEnd().split('\n')],
      ['note', parseNote, []],
    ];
    for (const [name, parse, own] of kinds) {
      for (const text of own) {
        for (const [otherName, otherParse] of kinds) {
          // Each signed note is a note, and that alone; the opposite is not: no text of a leaf is a note.
          if (otherParse === parse || (otherParse === parseNote && isNote(text))) continue;
          expect(otherParse(text), `${name} as ${otherName}`).toHaveProperty('error');
        }
      }
    }
    expect(goldens.filter(([, , , text]) => isNote(text)).map(([name]) => name)).toEqual([]);
  });
});

function isNote(text: string): boolean {
  return !('error' in parseNote(text));
}

describe('what notes commit to', () => {
  test('projection.txt', () => {
    expect(projection).toBe(read('projection.txt'));
    expect(parseProjection(projection)).toEqual(config);
    const named = { ...config, operator: 'Example Ltd & others' };
    expect(formatProjection(named)).toContain('\noperator Example%20Ltd%20&%20others\n');
    expect(parseProjection(formatProjection(named))).toEqual(named);
  });
  test('body-rpc.txt: the lines of batch.note, sorted bytewise', () => {
    expect(bodies.get('rpc')).toBe(read('body-rpc.txt'));
    expect(linesOfBody(read('body-rpc.txt'))).toEqual([...lines].sort());
  });
  test('assignment.json', () => {
    expect(read('assignment.json')).toBe(body);
  });
});

describe('lines', () => {
  for (const line of read('lines.txt').trimEnd().split('\n')) {
    test(`accepted: ${line}`, () => {
      const observation = parseLine(line);
      if ('error' in observation) throw new Error(observation.error);
      expect(formatLine(observation)).toBe(line);
    });
  }
  let why = '';
  for (const line of read('lines-bad.txt').split('\n')) {
    if (line.startsWith('#')) why = line.slice(2);
    else if (line !== '') test(`refused: ${why}`, () => expect(parseLine(line)).toHaveProperty('error'));
  }
});
