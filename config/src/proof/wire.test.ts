/** The golden files of config/testdata/wire: each note as it is sent or logged, made again and read back. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openNote, parseVerifier, sha256, signingKeyFromSeed } from '../keys.ts';
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
import { formatFrameText, parseFrameText } from './frame.ts';
import { ZERO_HASH, emptyRoot, leafHashOfNote } from './leaf-hash.ts';
import {
  formatConfigLeaf,
  formatMaintLeaf,
  formatProbeLeaf,
  parseConfigLeaf,
  parseMaintLeaf,
  parseProbeLeaf,
} from './leaves.ts';
import { formatLine, parseLine } from './line.ts';
import { type RuleConfig, formatProjection, parseProjection, saltedHash } from './projection.ts';
import { authorizationOf, formatRequestText, noteOfAuthorization, parseRequestText } from './request.ts';
import { canonicalSettings } from './settings.ts';

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
    expect(read('keys.txt')).toBe(`${operator.vkey}\n${probe.vkey}\n`);
  });

  test('an authorization header carries a request note and nothing else', () => {
    const note = read('request.note');
    expect(noteOfAuthorization(authorizationOf(note))).toBe(note);
    for (const header of ['', 'Bearer abc', 'Highwater', 'Highwater ###', `Highwater ${'A'.repeat(8_192)}`]) {
      expect(noteOfAuthorization(header)).toBeUndefined();
    }
  });
});

describe('what notes commit to', () => {
  test('projection.txt', () => {
    expect(projection).toBe(read('projection.txt'));
    expect(parseProjection(projection)).toEqual(config);
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
