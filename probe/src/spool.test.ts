import { spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import { parseBatchText } from '@highwater/config/proof/batch.ts';
import { parseFrameText } from '@highwater/config/proof/frame.ts';
import { leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { DAY_MS, minuteOf } from '@highwater/config/time.ts';
import { Journal } from './journal.ts';
import { noTip, spoolBatches, spoolFrame } from './sign.ts';
import { MOST_GAPS, type SpooledBatch } from './spool-records.ts';
import { Spool } from './spool.ts';
import type { SpoolOptions } from './spool-records.ts';

const identity = { key: generateSigningKey('eu-1'), origin: 'status.example.com/log' };
const known = { clock: { boundMs: 5, ageS: 0 }, tip: noTip };
const start = 20_000 * DAY_MS;
const folder = () => mkdtempSync(join(tmpdir(), 'highwater-spool-'));
const open = (dir: string, more: Partial<SpoolOptions> = {}) =>
  new Spool({ dir, maxBytes: 10_000_000, now: 1_800_000_000_000, ...more });
const line = (at: number, n = 0) => `rpc/n${n}/http ${at} ok 12 -`;
const close = (spool: Spool, minute = minuteOf(start)) =>
  spoolBatches(spool, identity, { through: spool.next.seq - 1, minute, config: ZERO_HASH }, known);

function batchOf(note: string) {
  const parsed = parseNote(note);
  const batch = 'error' in parsed ? parsed : parseBatchText(parsed.text);
  if ('error' in batch) throw new Error(batch.error);
  return batch;
}

function frameOf(note: string) {
  const parsed = parseNote(note);
  const frame = 'error' in parsed ? parsed : parseFrameText(parsed.text);
  if ('error' in frame) throw new Error(frame.error);
  return frame;
}

function segments(dir: string): string[] {
  return readdirSync(join(dir, 'journal'))
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(dir, 'journal', name));
}

describe('a spool', () => {
  it('begins its first epoch with the second, and goes on in it', () => {
    const dir = folder();
    const first = open(dir);
    expect([first.epoch, first.startedAnew]).toEqual([1_800_000_000, true]);
    first[Symbol.dispose]();
    const second = open(dir);
    expect([second.epoch, second.startedAnew]).toEqual([1_800_000_000, false]);
    second[Symbol.dispose]();
  });

  it('begins the next epoch when its journal is gone', () => {
    const dir = folder();
    open(dir)[Symbol.dispose]();
    rmSync(join(dir, 'journal'), { recursive: true });
    const again = open(dir);
    expect(again.epoch).toBe(1_800_000_001);
    again[Symbol.dispose]();
  });

  it('gives out frames and batches only once they are synced', async () => {
    const spool = open(folder());
    spool.add(line(start));
    spoolFrame(spool, identity);
    close(spool);
    expect([spool.frames.length, spool.batches.length]).toEqual([0, 0]);
    await spool.sync();
    expect([spool.frames.length, spool.batches.length]).toEqual([1, 1]);
    spool[Symbol.dispose]();
  });

  it('makes a batch for each UTC day, and an empty one for an empty minute', async () => {
    const spool = open(folder());
    close(spool, minuteOf(start) - 1);
    spool.add(line(start - 1), 'detail');
    spool.add(line(start));
    spool.add(line(start - 2, 1));
    close(spool);
    await spool.sync();
    const [empty, before, after] = spool.batches.map((each) => batchOf(spool.noteOf(each)));
    expect(empty).toMatchObject({
      number: 0,
      prev: ZERO_HASH,
      bodies: [],
      minutes: { first: minuteOf(start) - 1, last: minuteOf(start) - 1 },
    });
    expect(before).toMatchObject({ number: 1, bodies: [{ service: 'rpc', lines: 2 }] });
    expect(after).toMatchObject({ number: 2, bodies: [{ service: 'rpc', lines: 1 }] });
    const [, second, third] = spool.batches;
    expect(second && spool.linesOf(second).map((each) => each.text)).toEqual([
      line(start - 1),
      line(start - 2, 1),
    ]);
    expect(third && spool.linesOf(third).map((each) => each.text)).toEqual([line(start)]);
    spool[Symbol.dispose]();
  });

  it('after a conflict batches what nobody acknowledged again, in a new epoch', async () => {
    const dir = folder();
    const spool = open(dir);
    spool.add(line(start, 0));
    close(spool);
    spool.add(line(start, 1));
    close(spool);
    await spool.sync();
    const [acknowledged] = spool.batches;
    if (acknowledged) spool.acknowledgeBatch(acknowledged);
    spool.startNewEpoch({ name: 'batch-1.note', note: 'evidence' });
    expect(spool.next).toMatchObject({ epoch: 1_800_000_001, number: 0, frame: 0, prev: ZERO_HASH });
    expect(spool.unbatched.map((each) => each.text)).toEqual([line(start, 1)]);
    expect(readFileSync(join(dir, 'conflicts', 'batch-1.note'), 'utf8')).toBe('evidence');
    spool[Symbol.dispose]();
    const again = open(dir);
    expect(again.unbatched.map((each) => each.text)).toEqual([line(start, 1)]);
    again[Symbol.dispose]();
  });
});

describe('another key', () => {
  const renewed = { ...identity, key: generateSigningKey('eu-1') };
  const [before, after] = [identity, renewed].map(({ key }) => ({ key: key.vkey }));

  /** Three batches, the first of them acknowledged, and an unacknowledged frame. */
  const used = async (dir: string) => {
    const spool = open(dir, before);
    for (let n = 0; n < 3; n += 1) {
      spool.add(line(start, n));
      close(spool);
    }
    spoolFrame(spool, identity);
    await spool.sync();
    for (const batch of spool.batches.slice(0, 1)) spool.acknowledgeBatch(batch);
    return spool;
  };
  const waiting = (spool: Spool) => spool.unbatched.map((each) => each.text);

  it('signs what was not acknowledged in a new epoch; what was is still to be proven', async () => {
    const dir = folder();
    (await used(dir))[Symbol.dispose]();
    const spool = open(dir, after);
    expect([spool.startedAnew, spool.epoch]).toEqual([true, 1_800_000_001]);
    expect([spool.frameCount, spool.batchCount, spool.unprovenCount]).toEqual([0, 0, 1]);
    expect(waiting(spool)).toEqual([line(start, 1), line(start, 2)]);
    spoolBatches(spool, renewed, { through: Infinity, minute: minuteOf(start), config: ZERO_HASH }, known);
    await spool.sync();
    const [batch] = spool.batches;
    expect(batch && batchOf(spool.noteOf(batch))).toMatchObject({ epoch: 1_800_000_001, number: 0 });
    spool[Symbol.dispose]();
    const again = open(dir, after);
    expect([again.startedAnew, again.batchCount, again.unprovenCount]).toEqual([false, 1, 1]);
    again[Symbol.dispose]();
  });

  it.each([false, true])('signs what the collector lost, after a kill in between: %s', async (isKilled) => {
    const dir = folder();
    (await used(dir))[Symbol.dispose]();
    let spool = open(dir, after);
    const lost = spool.unproven(1).map(({ batch }) => batch);
    if (isKilled) {
      spool[Symbol.dispose]();
      const journal = new Journal(join(dir, 'journal'), () => undefined);
      journal.append(lost.map(({ epoch: e, number: n }) => JSON.stringify({ t: 'U', e, n })));
      journal[Symbol.dispose]();
      spool = open(dir, after);
    } else spool.takeBack(lost);
    expect([spool.epoch, spool.batchCount, spool.unprovenCount]).toEqual([1_800_000_002, 0, 0]);
    expect(waiting(spool)).toEqual([0, 1, 2].map((n) => line(start, n)));
    spool[Symbol.dispose]();
  });

  it('is not the key of a spool that does not say whose it is, and from then on it is', () => {
    const dir = folder();
    open(dir)[Symbol.dispose]();
    for (const [key, epoch] of [
      [before, 0],
      [before, 0],
      [after, 1],
    ] as const) {
      const spool = open(dir, key);
      expect(spool.epoch).toBe(1_800_000_000 + epoch);
      spool[Symbol.dispose]();
    }
  });
});

describe('a crash while an epoch begins', () => {
  it('loses no line, at whatever byte it comes', async () => {
    const dir = folder();
    const spool = open(dir);
    for (let n = 0; n < 3; n += 1) {
      spool.add(line(start, n), n === 0 ? 'detail' : undefined);
      if (n < 2) close(spool);
    }
    await spool.sync();
    const lines = [0, 1, 2].map((n) => line(start, n));
    const before = new Map(segments(dir).map((file) => [file, readFileSync(file).length]));
    spool.startNewEpoch({ name: 'x', note: 'x' });
    spool[Symbol.dispose]();

    const texts = (from: Spool) => [
      ...from.batches.flatMap((batch) => from.linesOf(batch).map((each) => each.text)),
      ...from.unbatched.map((each) => each.text),
    ];
    let cuts = 0;
    for (const [nth, file] of segments(dir).entries()) {
      for (let size = before.get(file) ?? 0; size <= readFileSync(file).length; size += 1) {
        const crashed = folder();
        cpSync(dir, crashed, { recursive: true });
        for (const later of segments(crashed).slice(nth + 1)) rmSync(later);
        truncateSync(segments(crashed)[nth] ?? '', size);
        const again = open(crashed);
        expect(texts(again).sort(), `${nth}: cut at ${size}`).toEqual(lines);
        expect(again.epoch).toBeGreaterThan(spool.epoch - 1);
        expect(again.repair.quarantined).toBe(0);
        again[Symbol.dispose]();
        const third = open(crashed);
        expect([texts(third).sort(), third.epoch]).toEqual([lines, again.epoch]);
        third[Symbol.dispose]();
        rmSync(crashed, { recursive: true });
        cuts += 1;
      }
    }
    expect(cuts).toBeGreaterThan(300);
  }, 60_000);

  it('is made good with the next start, also where it was only the number that was written', () => {
    const dir = folder();
    open(dir)[Symbol.dispose]();
    writeFileSync(join(dir, 'epoch'), '1800000001\n');
    const spool = open(dir);
    expect([spool.epoch, spool.startedAnew]).toEqual([1_800_000_002, true]);
    spool[Symbol.dispose]();
  });
});

describe('a damaged spool', () => {
  const filled = async () => {
    const dir = folder();
    const spool = open(dir);
    for (let n = 0; n < 5; n += 1) spool.add(line(start, n));
    spoolFrame(spool, identity);
    await spool.sync();
    spool[Symbol.dispose]();
    return { dir, file: segments(dir).at(-1) ?? '', epoch: spool.epoch };
  };

  it('has a torn end cut off, whatever its length, and goes on in its epoch', async () => {
    const { dir, file, epoch } = await filled();
    const whole = readFileSync(file);
    for (const torn of [1, 10, 60]) {
      writeFileSync(file, whole);
      appendFileSync(
        file,
        '0123abcd 300 {"t":"L","s":5,"l":"rpc/n5/http 1728000000000 ok 12 -"}'.slice(0, torn),
      );
      const spool = open(dir);
      expect(spool.repair).toEqual({ tornBytes: torn, quarantined: 0 });
      expect([spool.epoch, spool.frames.length, spool.next.seq]).toEqual([epoch, 1, 5]);
      spool.add(line(start, 9));
      spool[Symbol.dispose]();
      const again = open(dir);
      expect(again.unframed.map((each) => each.text)).toEqual([line(start, 9)]);
      again[Symbol.dispose]();
    }
  });

  it('has a bad record set aside once, the others kept, and a new epoch', async () => {
    const { dir, file, epoch } = await filled();
    const bytes = readFileSync(file);
    const at = bytes.indexOf('/n2/');
    bytes[at + 1] = 'x'.charCodeAt(0);
    writeFileSync(file, bytes);
    const spool = open(dir);
    expect(spool.repair.quarantined).toBe(1);
    expect(spool.epoch).toBe(epoch + 1);
    expect(spool.unbatched).toHaveLength(4);
    expect(readdirSync(join(dir, 'journal', 'quarantine'))).toHaveLength(1);
    spool[Symbol.dispose]();
    const again = open(dir);
    expect([again.repair.quarantined, again.epoch]).toEqual([0, epoch + 1]);
    again[Symbol.dispose]();
  });
});

describe('a full spool', () => {
  it('stays within its bytes, drops the oldest, and tells the numbers that are missing', async () => {
    const dir = folder();
    const maxBytes = 200_000;
    const spool = open(dir, { maxBytes });
    const notes = new Map<number, string>();
    for (let minute = 0; minute < 400; minute += 1) {
      for (let n = 0; n < 20; n += 1) spool.add(line(start + minute * 60_000, n));
      spoolFrame(spool, identity);
      close(spool, minuteOf(start) + minute);
      await spool.sync();
      expect(spool.bytes).toBeLessThan(maxBytes * 1.3);
      const newest = spool.batches.at(-1);
      if (newest) notes.set(newest.number, spool.noteOf(newest));
    }
    expect(spool.dropped).toBeGreaterThan(0);
    const kept = spool.batches.map((each) => each.number);
    const last = batchOf(notes.get(399) ?? '');
    const missing = last.gaps.flatMap((gap) =>
      Array.from({ length: gap.last - gap.first + 1 }, (_, i) => gap.first + i),
    );
    expect(missing.length).toBeGreaterThan(0);
    expect([...missing, ...kept].sort((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i));
    const newest = spool.batches.at(-1);
    if (newest) spool.acknowledgeBatch(newest);
    expect(spool.next.gaps).toEqual([]);
    spool[Symbol.dispose]();
  });

  it('tells many gaps in several batches, each one once it is acknowledged, and none twice', async () => {
    const spool = open(folder());
    const count = 2 * MOST_GAPS + 100;
    for (let minute = 0; minute < 2 * count; minute += 1) close(spool, minuteOf(start) + minute);
    await spool.sync();
    const made = spool.batches;
    // Every second one is lost: as many ranges as there can be.
    for (const batch of made) {
      if (batch.number % 2 === 0) spool.giveUp(batch);
      else spool.acknowledgeBatch(batch);
    }
    const told: number[] = [];
    for (let minute = 0; minute < 6; minute += 1) {
      close(spool, minuteOf(start) + 2 * count + minute);
      await spool.sync();
      for (const batch of spool.batches) {
        const { gaps } = batchOf(spool.noteOf(batch));
        expect(gaps.length).toBeLessThanOrEqual(MOST_GAPS);
        told.push(...gaps.map(({ first }) => first));
        spool.acknowledgeBatch(batch);
      }
    }
    expect(told).toEqual(Array.from({ length: count }, (_, n) => 2 * n));
    expect(spool.next.gaps).toEqual([]);
    spool[Symbol.dispose]();
  });

  it('deletes what was proven', async () => {
    const dir = folder();
    const spool = open(dir, { maxBytes: 80_000 });
    for (let minute = 0; minute < 300; minute += 1) {
      for (let n = 0; n < 20; n += 1) spool.add(line(start + minute * 60_000, n));
      spoolFrame(spool, identity);
      close(spool, minuteOf(start) + minute);
      await spool.sync();
      for (const frame of spool.frames) spool.acknowledgeFrame(frame);
      const { batches } = spool;
      for (const batch of batches) spool.acknowledgeBatch(batch);
      spool.proven(batches);
    }
    expect(spool.dropped).toBe(0);
    expect(segments(dir).length).toBeLessThan(4);
    spool[Symbol.dispose]();
  });
});

describe('what is acknowledged and not proven', () => {
  const minutes = async (spool: Spool, from: number, count: number) => {
    for (let minute = from; minute < from + count; minute += 1) {
      for (let n = 0; n < 20; n += 1) spool.add(line(start + minute * 60_000, n));
      spoolFrame(spool, identity);
      close(spool, minuteOf(start) + minute);
      await spool.sync();
      for (const frame of spool.frames) spool.acknowledgeFrame(frame);
    }
  };

  it('goes when the spool is full, as a gap too', async () => {
    const spool = open(folder(), { maxBytes: 200_000 });
    const told = new Set<number>();
    const tell = (gaps: readonly { first: number; last: number }[]) => {
      for (const { first, last } of gaps) for (let n = first; n <= last; n += 1) told.add(n);
    };
    for (let minute = 0; minute < 300; minute += 1) {
      await minutes(spool, minute, 1);
      for (const batch of spool.batches) {
        tell(batchOf(spool.noteOf(batch)).gaps);
        spool.acknowledgeBatch(batch);
      }
      expect(spool.bytes).toBeLessThan(260_000);
    }
    tell(spool.next.gaps);
    const [oldest = 0] = spool.unproven(1).map(({ batch }) => batch.number);
    expect(oldest).toBeGreaterThan(0);
    expect([...told].sort((a, b) => a - b)).toEqual(Array.from({ length: oldest }, (_, n) => n));
    spool[Symbol.dispose]();
  });

  it('is bounded by what the assignment says, from its next segment on', async () => {
    const spool = open(folder());
    await minutes(spool, 0, 100);
    spool.limit(100_000);
    await minutes(spool, 100, 30);
    expect(spool.bytes).toBeLessThan(130_000);
    spool[Symbol.dispose]();
  });

  it('goes when it is too old, whether it was acknowledged or not; what came later stays', async () => {
    const dir = folder();
    const spool = open(dir);
    await minutes(spool, 0, 10);
    for (const batch of spool.batches.slice(0, 3)) spool.acknowledgeBatch(batch);
    expect(spool.expire(minuteOf(start))).toBe(0);
    expect(spool.expire(minuteOf(start) + 5)).toBe(5);
    expect([spool.unprovenCount, spool.batches.map((each) => each.number)]).toEqual([0, [5, 6, 7, 8, 9]]);
    expect(spool.next.gaps).toEqual([{ first: 0, last: 4 }]);
    spool[Symbol.dispose]();
    const again = open(dir);
    expect([again.batchCount, again.next.gaps]).toEqual([5, [{ first: 0, last: 4 }]]);
    again[Symbol.dispose]();
  });

  it('takes the gaps that it told with it, when the collector loses it and it is given up', async () => {
    const dir = folder();
    const spool = open(dir);
    await minutes(spool, 0, 2);
    for (const batch of spool.batches.slice(0, 1)) spool.giveUp(batch);
    await minutes(spool, 2, 1);
    for (const batch of spool.batches) spool.acknowledgeBatch(batch);
    expect(spool.next.gaps).toEqual([]);
    const [told] = spool.unproven(9).flatMap(({ batch }) => (batch.gaps.length > 0 ? [batch] : []));
    if (told === undefined) throw new Error('no batch told of it');
    spool.takeBack([told]);
    spool.giveUp(told);
    const gaps = [
      { first: 0, last: 0 },
      { first: told.number, last: told.number },
    ];
    expect(spool.next.gaps).toEqual(gaps);
    spool[Symbol.dispose]();
    const again = open(dir);
    expect(again.next.gaps).toEqual(gaps);
    again[Symbol.dispose]();
  });

  it('is sent again before what was made later, with its lines', async () => {
    const dir = folder();
    const spool = open(dir, { maxBytes: 80_000 });
    await minutes(spool, 0, 6);
    for (const batch of spool.batches.slice(0, 4)) spool.acknowledgeBatch(batch);
    const lost = spool.unproven(10).map(({ batch }) => batch);
    spool.proven(lost.slice(0, 1));
    spool.takeBack(lost.slice(2));
    spool[Symbol.dispose]();
    const again = open(dir, { maxBytes: 80_000 });
    expect(again.batches.map((each) => each.number)).toEqual([2, 3, 4, 5]);
    expect(again.unproven(10).map(({ batch }) => batch.number)).toEqual([1]);
    for (const batch of again.batches) expect(again.linesOf(batch)).toHaveLength(20);
    again[Symbol.dispose]();
  });
});

describe('whatever happens in whatever order', () => {
  const op = fc.oneof(
    { weight: 6, arbitrary: fc.record({ op: fc.constant('add' as const), minute: fc.nat(3) }) },
    {
      weight: 3,
      arbitrary: fc.record({ op: fc.constantFrom('frame' as const, 'batch' as const, 'sync' as const) }),
    },
    { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('ackFrame' as const, 'ackBatch' as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('prove' as const, 'takeBack' as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('reopen' as const, 'epoch' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constant('tear' as const), bytes: fc.integer({ min: 1, max: 3_000 }) }),
    },
  );

  it('a number has one text, the chain holds, and only what is proven goes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 50, maxLength: 90, size: 'max' }), async (ops) => {
        const dir = folder();
        let spool = open(dir);
        let count = 0;
        /** Where the last segment ended when everything in it was synced: a power cut may take what is behind. */
        let synced = readFileSync(segments(dir).at(-1) ?? '').length;
        const marked = () => (synced = readFileSync(segments(dir).at(-1) ?? '').length);
        const sent = new Map<string, string>();
        /** What the collector and then the log hold for good. */
        const proven: string[] = [];
        /** Acknowledged, and never proven nor taken back: by name, with its lines. */
        const unproven = new Map<string, { readonly note: string; readonly lines: readonly string[] }>();
        const send = () => {
          for (const frame of spool.frames) {
            const name = `frame ${frame.epoch}/${frame.frame}`;
            const { note } = spool.frameOf(frame);
            expect(sent.get(name) ?? note).toBe(note);
            sent.set(name, note);
          }
          for (const batch of spool.batches) {
            const name = `batch ${batch.epoch}/${batch.number}`;
            const note = spool.noteOf(batch);
            expect(sent.get(name) ?? note).toBe(note);
            sent.set(name, note);
          }
          const order = spool.batches.map(({ place }) => place.segment * 1e9 + place.offset);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        };
        const textsOf = (batch: SpooledBatch) => spool.linesOf(batch).map((one) => one.text);
        /** They can be sent again: from the one state or from the other. */
        const holdsUnproven = () => {
          const held = new Map(
            [...spool.unproven(1_000).map(({ batch }) => batch), ...spool.batches].map((batch) => [
              `${batch.epoch}/${batch.number}`,
              batch,
            ]),
          );
          for (const [name, { note, lines }] of unproven) {
            const batch = held.get(name);
            expect(batch, name).toBeDefined();
            if (!batch) continue;
            expect(spool.noteOf(batch)).toBe(note);
            expect(textsOf(batch)).toEqual(lines);
          }
          for (const { batch, leaf } of spool.unproven(1_000)) {
            expect(leaf).toBe(leafHashOfNote(spool.noteOf(batch), sha256));
          }
        };
        for (const each of ops) {
          if (each.op === 'add') spool.add(line(start + each.minute * 60_000, count++));
          if (each.op === 'frame') spoolFrame(spool, identity);
          if (each.op === 'batch') close(spool);
          if (each.op === 'sync') {
            await spool.sync();
            marked();
          }
          const [oldest] = spool.unproven(1).map(({ batch }) => batch);
          const nameOfOldest = oldest && `${oldest.epoch}/${oldest.number}`;
          if (each.op === 'prove' && oldest && nameOfOldest !== undefined) {
            proven.push(...textsOf(oldest));
            spool.proven([oldest]);
            unproven.delete(nameOfOldest);
            expect(spool.isSpooled(oldest)).toBe(false);
          }
          if (each.op === 'takeBack' && oldest && nameOfOldest !== undefined) {
            spool.takeBack([oldest]);
            unproven.delete(nameOfOldest);
            expect(spool.isSpooled(oldest)).toBe(true);
          }
          if (each.op === 'epoch') {
            spool.startNewEpoch({ name: 'x', note: 'x' });
            marked();
          }
          if (each.op === 'reopen' || each.op === 'tear') {
            spool[Symbol.dispose]();
            const file = segments(dir).at(-1) ?? '';
            const size = readFileSync(file).length;
            // Whose acknowledgement is torn off is spooled again, and may be dissolved by a new epoch.
            if (each.op === 'tear') unproven.clear();
            if (each.op === 'tear') truncateSync(file, Math.max(synced, size - each.bytes));
            spool = open(dir);
            marked();
            count = spool.next.seq;
          }
          if (each.op === 'ackFrame' && spool.frames[0]) spool.acknowledgeFrame(spool.frames[0]);
          const [batch] = spool.batches;
          if (each.op === 'ackBatch' && batch) {
            const name = `${batch.epoch}/${batch.number}`;
            unproven.set(name, { note: spool.noteOf(batch), lines: textsOf(batch) });
            spool.acknowledgeBatch(batch);
          }
          if (each.op !== 'tear') send();
          holdsUnproven();
        }
        await spool.sync();
        const all = new Set([
          ...proven,
          ...spool.unproven(1_000).flatMap(({ batch }) => textsOf(batch)),
          ...spool.batches.flatMap(textsOf),
          ...spool.unbatched.map((one) => one.text),
        ]);
        expect(all.size).toBeGreaterThanOrEqual(count);
        const batches = [...sent].filter(([name]) => name.startsWith('batch')).map(([, note]) => note);
        for (const note of batches) {
          const batch = batchOf(note);
          const before = sent.get(`batch ${batch.epoch}/${batch.number - 1}`);
          if (batch.number === 0) expect(batch.prev).toBe(ZERO_HASH);
          else if (before !== undefined) expect(batch.prev).toBe(leafHashOfNote(before, sha256));
        }
        spool[Symbol.dispose]();
        rmSync(dir, { recursive: true });
      }),
      { numRuns: 50 },
    );
  }, 60_000);
});

describe('a process that is killed', () => {
  it('loses no line that it journaled and gives no number a second text', async () => {
    const dir = folder();
    const shown = new Map<string, string>();
    let highest = -1;
    for (let round = 0; round < 8; round += 1) {
      const output = await killed(dir, 5 + ((round * 37) % 120));
      for (const text of output) {
        const [what = '', name = '', rest = ''] = text.split(' ', 3);
        if (what === 'line') highest = Math.max(highest, Number(name));
        else if (what === 'sent' && rest !== '') {
          expect(shown.get(name) ?? rest, `${name} in round ${round}`).toBe(rest);
          shown.set(name, rest);
        }
      }
    }
    const spool = open(dir);
    expect(spool.repair.quarantined).toBe(0);
    expect(spool.next.seq).toBeGreaterThan(highest);
    expect(highest).toBeGreaterThan(10);
    const frames = spool.frames.map((frame) => frameOf(spool.frameOf(frame).note).lines);
    const lines = new Set([...frames.flat(), ...spool.unframed.map((each) => each.text)]);
    expect(lines.size).toBe(spool.next.seq);
    spool[Symbol.dispose]();
  }, 60_000);
});

/** Runs a writer, kills it after so many lines of its output, and gives them. */
function killed(dir: string, after: number): Promise<string[]> {
  const writer = join(import.meta.dirname, '../testing/spool-writer.ts');
  const child = spawn(process.execPath, [writer, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.split('\n').length > after) child.kill('SIGKILL');
    });
    child.on('error', reject).on('close', () => resolve(text.split('\n').slice(0, -1)));
  });
}
