import { createHash, createHmac } from 'node:crypto';
import fs, { mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { parseBatchText } from '@highwater/config/proof/batch.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { type Logger, pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Evidence, keepEvidence } from './evidence.ts';
import { noTip } from './sign.ts';
import { mostAtOnce, Spool } from './spool.ts';

const minute = 60_000;
const noon = 1_795_000_020_000 - (1_795_000_020_000 % minute);
const identity = { key: generateSigningKey('eu-1'), origin: 'status.example.com/log' };
const [config, other] = [1, 2].map((fill) => Buffer.alloc(32, fill).toString('base64')) as [string, string];
let dir = '';
let now = noon;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evidence-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

const openSpool = () => new Spool({ dir, maxBytes: 268_435_456, now: noon });
const evidenceIn = (spool: Spool, log: Logger = pino({ level: 'silent' })): Evidence =>
  keepEvidence({
    spool,
    log,
    now: () => now,
    monotonic: () => performance.now(),
    clock: () => ({ boundMs: 1, ageS: 0 }),
    tip: () => noTip,
    ready: () => undefined,
  });
const line = (dueAt: number, n = 0) => `rpc/n${n}/http ${dueAt} ok 12 -`;

/** Opens the spool at an instant, lets `act` use it, and gives how many batches are spooled in the end. */
async function batchesAfter(at: number, act: (spool: Spool) => void): Promise<number> {
  using spool = openSpool();
  act(spool);
  now = at;
  const evidence = evidenceIn(spool);
  evidence.assigned(identity, config);
  await evidence.drain();
  return spool.batches.length;
}

const seen = (dueAt: number) => (spool: Spool) => spool.add(line(dueAt), undefined);

it('a minute that closed while the probe was gone is batched at the start, not a minute later', async () => {
  expect(await batchesAfter(noon + 50_000, seen(noon + 49_000))).toBe(0);
  expect(await batchesAfter(noon + minute + 2_000, () => undefined)).toBe(1);
});

it('a minute that goes on after a restart is not closed early', async () => {
  expect(await batchesAfter(noon + 20_000, seen(noon + 19_000))).toBe(0);
  expect(await batchesAfter(noon + 40_000, () => undefined)).toBe(0);
});

describe('a line that ended in the very turn in which', () => {
  /** Of each batch its configuration and its lines. */
  const batchesIn = (spool: Spool) =>
    spool.batches.map((each) => {
      const note = parseNote(spool.noteOf(each));
      const batch = 'error' in note ? note : parseBatchText(note.text);
      if ('error' in batch) throw new Error(batch.error);
      return [batch.config, spool.linesOf(each).map(({ text }) => text)];
    });
  it('the configuration changes is of the old one', async () => {
    using spool = openSpool();
    now = noon + 20_000;
    const evidence = evidenceIn(spool);
    evidence.assigned(identity, config);
    evidence.add(line(noon + 19_000), undefined);
    evidence.assigned(identity, other);
    await evidence.drain();
    expect(batchesIn(spool)).toEqual([[config, [line(noon + 19_000)]]]);
  });

  it('the configuration makes a service public is committed to under the salt of before', async () => {
    using spool = openSpool();
    now = noon + 20_000;
    const evidence = evidenceIn(spool);
    const salt = new Uint8Array(32).fill(3);
    evidence.assigned(identity, config, new Map([['rpc', salt]]));
    evidence.add(line(noon + 19_000), undefined);
    evidence.assigned(identity, other);
    evidence.add(line(noon + 19_500), undefined);
    evidence.assigned(identity, config);
    await evidence.drain();
    const hashes = spool.batches.map((each) => / (\S+)\n\n/.exec(spool.noteOf(each))?.[1]);
    expect(hashes).toEqual([
      createHmac('sha256', salt)
        .update(`${line(noon + 19_000)}\n`)
        .digest('base64'),
      createHash('sha256')
        .update(`${line(noon + 19_500)}\n`)
        .digest('base64'),
    ]);
  });

  it('the minute closes is of that minute', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    using spool = openSpool();
    now = noon + 59_900;
    const evidence = evidenceIn(spool);
    evidence.assigned(identity, config);
    evidence.add(line(noon + 59_000), undefined);
    now = noon + minute + 1;
    vi.advanceTimersByTime(100);
    await evidence.drain();
    expect(batchesIn(spool)).toEqual([[config, [line(noon + 59_000)]]]);
  });
});

describe('lines that end together', () => {
  /** Puts another in place of the system's write while it journals what has ended. */
  function journalWith(evidence: Evidence, write: typeof fs.writeSync): void {
    const real = fs.writeSync;
    const put = (into: typeof fs.writeSync) => {
      fs.writeSync = into;
      syncBuiltinESMExports();
    };
    put(write);
    try {
      evidence.assigned(identity, config);
    } finally {
      put(real);
    }
  }

  /** How many lines are lost, and how many segments of older ones dropped, where the n-th write (from 0) may throw. */
  function lostOf(count: number, codeOf: (nth: number) => string | undefined) {
    // Nothing is framed meanwhile.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    using spool = openSpool();
    for (let n = 0; n < 20_000; n += 1) spool.add(line(noon, n), 'x'.repeat(50));
    const before = spool.unbatched.length;
    let lost = 0;
    const write = (text: string) => void (lost += (JSON.parse(text) as { lines: number }).lines);
    now = noon + 1_000;
    const evidence = evidenceIn(spool, pino({ level: 'error' }, { write }));
    for (let n = 0; n < count; n += 1) evidence.add(line(noon + 500, n), undefined);
    const real = fs.writeSync;
    let writes = 0;
    journalWith(evidence, ((...args: Parameters<typeof fs.writeSync>) => {
      const code = codeOf(writes++);
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      return real(...args);
    }) as typeof fs.writeSync);
    const kept = spool.unbatched.map(({ text }) => text).filter((text) => text.includes(`${noon + 500}`));
    const { dropped, unbatched } = spool;
    return { lost, dropped, kept, older: before - (unbatched.length - kept.length) };
  }

  it('are all kept, in their order, also a hundred thousand of them', () => {
    const { lost, dropped, kept } = lostOf(100_000, () => undefined);
    expect([lost, dropped]).toEqual([0, 0]);
    expect(kept).toEqual(Array.from({ length: 100_000 }, (_, n) => line(noon + 500, n)));
  }, 60_000);

  it('are lost a write at a time where the disk fails; nothing older is dropped for that', () => {
    const { lost, dropped, kept, older } = lostOf(1_000, (nth) => (nth === 1 ? 'EIO' : undefined));
    expect([lost, kept.length, dropped, older]).toEqual([mostAtOnce, 1_000 - mostAtOnce, 0, 0]);
  });

  it.each(['ENOSPC', 'EDQUOT'])('take the room of the oldest where there is none: %s', (code) => {
    const { lost, dropped, kept, older } = lostOf(1_000, (nth) => (nth === 1 ? code : undefined));
    expect([lost, kept.length, dropped]).toEqual([0, 1_000, 1]);
    expect(older).toBeGreaterThan(0);
  });
});
