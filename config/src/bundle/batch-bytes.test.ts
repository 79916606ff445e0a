/** Batches read from bytes are read as the slow readers do, and whatever those refuse is not read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256, signingKeyFromSeed } from '../keys.ts';
import { type Batch, formatBatchText, parseBatchText } from '../proof/batch.ts';
import { decodeUtf8, encodeBase64, utf8 } from '../proof/bytes.ts';
import { formatNote, parseNote } from '../proof/note.ts';
import { BatchBytes } from './batch-bytes.ts';

const origin = 'status.example.com/log';
const key = signingKeyFromSeed('eu-1', sha256(utf8('eu-1')));

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeBase64);
const id = fc.stringMatching(/^[a-z0-9._-]{1,10}$/);
const whole = fc.oneof(fc.nat(20), fc.maxSafeNat());
const body = fc
  .tuple(id, fc.integer({ min: 1, max: 9_999 }), fc.integer({ min: 1, max: 99_999 }), hash)
  .map(([service, lines, more, of]) => ({ service, lines, bytes: lines + more, hash: of }));

const batches: fc.Arbitrary<Batch> = fc
  .record({
    probe: id,
    epoch: whole,
    number: fc.integer({ min: 20, max: 99_999 }),
    prev: hash,
    minute: fc.nat(30_000_000),
    config: hash,
    boundMs: fc.oneof(fc.constant(-1), fc.nat(5_000)),
    ageS: fc.nat(9_999),
    size: whole,
    root: hash,
    hasGap: fc.boolean(),
    bodies: fc.uniqueArray(body, { selector: ({ service }) => service, maxLength: 6 }),
  })
  .map(({ minute, boundMs, ageS, size, root, hasGap, bodies, ...rest }) => ({
    ...rest,
    origin,
    minutes: { first: minute, last: minute },
    clock: { boundMs, ageS },
    tip: { size, root },
    gaps: hasGap
      ? [
          { first: 1, last: 3 },
          { first: 7, last: 9 },
        ]
      : [],
    bodies: bodies.sort((a, b) => (a.service < b.service ? -1 : 1)),
  }));

/** As the slow readers have it; undefined for what they refuse. */
function slowly(note: Uint8Array): Batch | undefined {
  const parsed = parseNote(decodeUtf8(note) ?? '');
  if ('error' in parsed || parsed.signatures.length !== 1) return undefined;
  const batch = parseBatchText(parsed.text);
  return 'error' in batch || batch.origin !== origin ? undefined : batch;
}

function fieldsOf(read: BatchBytes, batch: Batch): unknown {
  return {
    ...batch,
    probe: read.probe,
    epoch: read.epoch,
    number: read.number,
    prev: encodeBase64(read.prev),
    minutes: { first: read.first, last: read.last },
    config: read.config,
    clock: { boundMs: read.boundMs, ageS: read.ageS },
    gaps: read.gaps,
    bodies: Array.from({ length: read.bodies }, (_, i) => ({
      service: read.services.text(read.service[i] ?? 0),
      lines: read.lines[i],
      bytes: read.bytes[i],
      hash: encodeBase64(read.hashes.subarray(i * 32, (i + 1) * 32)),
    })),
  };
}

describe('a batch from its bytes', () => {
  const read = new BatchBytes(origin);

  it('is what the slow readers read', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const note = utf8(key.sign(formatBatchText(batch)));
        expect(slowly(note)).toEqual(batch);
        expect(read.read(note)).toBe(true);
        expect(fieldsOf(read, batch)).toEqual(batch);
        const parsed = parseNote(decodeUtf8(note) ?? '');
        if ('error' in parsed) throw new Error(parsed.error);
        expect(note.subarray(0, read.textEnd)).toEqual(utf8(parsed.text));
        const [signature] = parsed.signatures;
        const { signer: name, keyId, signature: bytes } = read;
        expect({ name, keyId, bytes }).toEqual({
          ...signature,
          bytes: Uint8Array.from(signature?.bytes ?? []),
        });
      }),
    );
  });

  it('is not read where they refuse it, with a byte changed, put in or left out', () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.nat(255), fc.nat(2), (batch, at, byte, how) => {
        const note = Array.from(utf8(key.sign(formatBatchText(batch))));
        note.splice(at % note.length, how === 1 ? 0 : 1, ...(how === 2 ? [] : [byte]));
        const bytes = Uint8Array.from(note);
        const batchSlowly = slowly(bytes);
        if (!read.read(bytes)) return;
        expect(batchSlowly).toBeDefined();
        if (batchSlowly) expect(fieldsOf(read, batchSlowly)).toEqual(batchSlowly);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is left to them with two signatures, another log, and a signature of another length', () => {
    const made = fc.sample(batches, 1)[0];
    if (made === undefined) throw new Error('no batch');
    const text = formatBatchText(made);
    const parsed = parseNote(key.sign(text));
    if ('error' in parsed) throw new Error(parsed.error);
    const [signature] = parsed.signatures;
    if (signature === undefined) throw new Error('no signature');
    const short = { ...signature, bytes: signature.bytes.subarray(1) };
    const notes = [
      formatNote({ text, signatures: [signature, signature] }),
      formatNote({ text, signatures: [short] }),
      key.sign(formatBatchText({ ...made, origin: 'other.example.com/log' })),
    ];
    for (const note of notes) expect(read.read(utf8(note))).toBe(false);
  });
});
