import { generateSigningKey, witnessSigningKey } from '@highwater/config/keys.ts';
import { formatCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { formatNote, type NoteSignature, parseNote } from '@highwater/config/proof/note.ts';
import { formatPolicy } from '@highwater/config/proof/policy.ts';
import { expect, test } from 'vitest';
import { openVouched, vouchedFor } from './mirror-vouched.ts';

const key = generateSigningKey('o.example/log/2026');
const [w1, w2, stranger] = [1, 2, 3].map((seed) =>
  witnessSigningKey(`w${seed}.example`, new Uint8Array(32).fill(seed)),
) as [W, W, W];
type W = ReturnType<typeof witnessSigningKey>;

const textOf = (size: number): string =>
  formatCheckpointText({ origin: key.name, size, root: Buffer.alloc(32, size).toString('base64') });
const text = textOf(7);

function noteWith(...cosigned: NoteSignature[]): string {
  const parsed = parseNote(key.sign(text));
  if ('error' in parsed) throw new Error(parsed.error);
  return formatNote({ text, signatures: [...parsed.signatures, ...cosigned] });
}

const policy = (quorum: string): Buffer =>
  Buffer.from(
    formatPolicy({
      logs: [{ vkey: key.vkey }],
      witnesses: [
        { name: 'one', vkey: w1.vkey },
        { name: 'two', vkey: w2.vkey },
      ],
      groups: [{ name: 'both', threshold: 2, members: ['one', 'two'] }],
      quorum,
    }),
  );

test.each<[string, NoteSignature[], string[], string, boolean]>([
  ['nobody', [], [], 'one', false],
  ['nobody, and none is asked for', [], [], 'none', true],
  ['one', [w1.cosign(text, 9)], ['one'], 'one', true],
  ['fewer than asked for', [w2.cosign(text, 9)], ['two'], 'both', false],
  ['both, and a stranger', [stranger, w2, w1].map((w) => w.cosign(text, 9)), ['one', 'two'], 'both', true],
  ['a stranger', [stranger.cosign(text, 9)], [], 'one', false],
  ['one, of another checkpoint', [w1.cosign(textOf(8), 9)], [], 'one', false],
  ['a stranger under its name', [{ ...stranger.cosign(text, 9), name: 'w1.example' }], [], 'one', false],
  [
    'another key under its id',
    [{ ...w1.cosign(text, 9), bytes: w2.cosign(text, 9).bytes }],
    [],
    'one',
    false,
  ],
])('cosigned by %s', (_, cosigned, by, quorum, met) => {
  expect(vouchedFor(noteWith(...cosigned), policy(quorum))).toEqual({ by, of: 2, met });
});

test.each([undefined, Buffer.of(0xff), Buffer.from('no policy\n')])(
  'without a policy it is not known',
  (bytes) => {
    expect(vouchedFor(noteWith(w1.cosign(text, 9)), bytes)).toBeUndefined();
  },
);

test('what is kept is given up for another note or policy', () => {
  const vouched = openVouched();
  const bytes = policy('one');
  const note = noteWith(w1.cosign(text, 9));
  expect(vouched(noteWith(), bytes)?.by).toEqual([]);
  expect(vouched(note, bytes)?.by).toEqual(['one']);
  expect(vouched(note, bytes)).toBe(vouched(note, bytes));
  expect(vouched(note, policy('both'))?.met).toBe(false);
});
