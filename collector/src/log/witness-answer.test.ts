/** What tlog-witness prints as an example, read by us; answers of all kinds come from a witness in test/contracts. */
import { parseWitnessVerifier, witnessSigningKey } from '@highwater/config/keys.ts';
import { formatAddCheckpoint, parseAddCheckpoint } from '@highwater/config/proof/add-checkpoint.ts';
import { utf8 } from '@highwater/config/proof/bytes.ts';
import { formatNote } from '@highwater/config/proof/note.ts';
import { describe, expect, it } from 'vitest';
import { MAX_AHEAD_MS, readAnswer } from './witness-answer.ts';

/** c2sp.org/tlog-witness, "Example request body". */
const REQUEST = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`;

/** The same page, "Example response body": two keys of one name, and another witness at the same address. */
const RESPONSE = `— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
`;

const NOW = 1_800_000_000_000;
const key = witnessSigningKey('witness.example/w1', new Uint8Array(32).fill(3));
const verifier = parseWitnessVerifier(key.vkey);
const request = parseAddCheckpoint(REQUEST);
if ('error' in request) throw new Error(request.error);
const text = request.checkpoint.slice(0, request.checkpoint.lastIndexOf('\n\n') + 1);
const asked = { old: request.oldSize, size: 20_852_163, text };
const ok = (body: string) => ({ status: 200, type: 'text/plain', body: utf8(body) });
/** The line of our witness, at a time in ms. */
const lineAt = (at: number) =>
  formatNote({ text, signatures: [key.cosign(text, Math.floor(at / 1_000))] })
    .slice(text.length + 1)
    .trimEnd();

describe('the exchange that tlog-witness prints', () => {
  it('has a request that is ours to the byte', () => {
    expect(request).toMatchObject({ oldSize: 20_852_014, proof: { length: 4 } });
    expect(formatAddCheckpoint(request)).toBe(REQUEST);
  });

  it('has a response of well-formed lines, by keys that are not known here', () => {
    expect(readAnswer(ok(RESPONSE), asked, verifier, NOW)).toEqual({
      answer: {
        kind: 'failed',
        because: expect.stringContaining('none by the key witness.example/w1+') as string,
      },
      dropped: [],
    });
  });

  it('has a response in which the line of a known key is found, whatever stands around it', () => {
    const line = lineAt(NOW);
    const [first = '', ...rest] = RESPONSE.split('\n');
    const body = [first, line, ...rest].join('\n');
    expect(readAnswer(ok(body), asked, verifier, NOW)).toEqual({
      answer: { kind: 'cosigned' },
      line,
      dropped: [],
    });
  });

  it('has a conflict whose body is the size in a line', () => {
    const reply = { status: 409, type: 'text/x.tlog.size', body: utf8('20852014\n') };
    expect(readAnswer(reply, asked, verifier, NOW).answer).toEqual({ kind: 'size', size: 20_852_014 });
  });
});

it.each([
  [0, 'cosigned'],
  [-10 * 365 * 86_400_000, 'cosigned'],
  [MAX_AHEAD_MS, 'cosigned'],
  [MAX_AHEAD_MS + 1_000, 'failed'],
] as const)('a cosignature from a clock %d ms ahead: %s', (aheadMs, kind) => {
  expect(readAnswer(ok(`${lineAt(NOW + aheadMs)}\n`), asked, verifier, NOW).answer.kind).toBe(kind);
});

it('of a hundred and one lines the last is not read', () => {
  const other = witnessSigningKey('witness.example/w9', new Uint8Array(32).fill(9));
  const line = formatNote({ text, signatures: [other.cosign(text, 1)] }).slice(text.length + 1);
  const answer = readAnswer(ok(`${line.repeat(100)}${lineAt(NOW)}\n`), asked, verifier, NOW);
  expect(answer).toMatchObject({ answer: { kind: 'failed' }, dropped: ['lines past the first 100'] });
});
