import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { decodeBase64, decodeUtf8 } from '@highwater/config/proof/bytes.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { DAY_MS, minuteOf, MINUTE_MS } from '@highwater/config/time.ts';
import { checkpointHeader } from '@highwater/config/wire.ts';
import { ORIGIN, proofsOf, testLog, type TestLog } from '../testing/log.ts';
import { serveHttp } from '../testing/servers.ts';
import { openLink } from './collector-link.ts';
import { checkpointMemory } from './prove-memory.ts';
import { maxAnswerBytes, startProver } from './prove.ts';
import { noTip, spoolBatches } from './sign.ts';
import { Spool } from './spool.ts';

const key = generateSigningKey('eu-1');
const start = 20_000 * DAY_MS;
let dir: string;
let log: TestLog;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'highwater-prove-'));
  log = testLog(2026);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A prover, and a collector that answers what `answer` gives: an object as JSON. */
async function proving(answer: (query: URLSearchParams) => object | string | undefined) {
  const asked: {
    readonly leaves: string[];
    readonly from: string | null;
    readonly shown: string | undefined;
  }[] = [];
  const server = await serveHttp((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    const header = request.headers[checkpointHeader];
    const shown =
      typeof header === 'string' ? decodeUtf8(decodeBase64(header) ?? new Uint8Array()) : undefined;
    asked.push({ leaves: query.getAll('leaf'), from: query.get('from'), shown });
    const said = answer(query);
    if (said === undefined) response.writeHead(503).end();
    else response.end(typeof said === 'string' ? said : JSON.stringify(said));
  });
  const lines: { readonly level: number; readonly msg: string }[] = [];
  const logger = pino(
    { level: 'info' },
    { write: (line: string) => void lines.push(JSON.parse(line) as never) },
  );
  const spool = new Spool({ dir, maxBytes: 10_000_000, now: start });
  const memory = checkpointMemory(dir);
  const link = openLink(server.url, false);
  const clock = { monotonicMs: 0 };
  const taken: number[] = [];
  const prover = startProver({
    spool,
    link,
    memory,
    asker: { key, now: () => start, checkpoint: () => memory.seen?.note },
    log: logger,
    logs: () => ({ origin: ORIGIN, logKeys: [log.key.vkey] }),
    monotonic: () => clock.monotonicMs,
    takenBack: () => taken.push(spool.batchCount),
    random: () => 0,
    firstMs: 1,
  });
  return {
    asked,
    clock,
    memory,
    prover,
    spool,
    taken,
    said: (event: string) => lines.filter(({ msg }) => msg === event).length,
    /** Batches that are acknowledged; in the log too. */
    async acknowledged(count: number, isLogged = true) {
      for (let n = 0; n < count; n += 1) {
        const minute = minuteOf(start) + spool.next.number;
        const closing = { through: -1, minute, config: ZERO_HASH };
        spoolBatches(spool, { key, origin: ORIGIN }, closing, { clock: { boundMs: 1, ageS: 0 }, tip: noTip });
      }
      await spool.sync();
      const { batches } = spool;
      if (isLogged) log.entries.push(...batches.map((batch) => spool.noteOf(batch)));
      for (const batch of batches) spool.acknowledgeBatch(batch);
      prover.poke();
    },
    until: (condition: () => boolean) =>
      vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000 }),
    async [Symbol.asyncDispose]() {
      await prover.stop();
      await link.close();
      await server[Symbol.asyncDispose]();
      spool[Symbol.dispose]();
    },
  };
}

const fromOf = (query: URLSearchParams) => {
  const [year, size] = (query.get('from') ?? '').split('/').map(Number);
  return year && size ? { year, size } : undefined;
};
const honest = (query: URLSearchParams) => proofsOf([log], query.getAll('leaf'), fromOf(query));

describe('what is acknowledged', () => {
  it('is proven, twenty in a question, each from the checkpoint before, which every request shows', async () => {
    await using eu = await proving(honest);
    await eu.acknowledged(45);
    await eu.until(() => eu.spool.unprovenCount === 0);
    expect(eu.asked.map(({ leaves }) => leaves.length)).toEqual([20, 20, 5]);
    const note = log.checkpoint();
    expect(eu.asked.map(({ from }) => from)).toEqual([null, '2026/45', '2026/45']);
    expect(eu.asked.map(({ shown }) => shown)).toEqual([undefined, note, note]);
    expect(readFileSync(join(dir, 'checkpoint'), 'utf8')).toBe(note);
    expect(eu.memory.seen).toMatchObject({ year: 2026, size: 45 });
  });

  it('and is not merged yet is asked for ever less often, and nothing is asked while nothing waits', async () => {
    let isMerged = false;
    const empty = { logs: [], leaves: [], unknown: [] };
    await using eu = await proving((query) => (isMerged ? honest(query) : empty));
    await eu.acknowledged(1);
    await eu.until(() => eu.asked.length >= 6);
    expect([eu.spool.unprovenCount, eu.prover.refused]).toEqual([1, undefined]);
    isMerged = true;
    await eu.until(() => eu.spool.unprovenCount === 0);
    const { length } = eu.asked;
    eu.prover.poke();
    await new Promise((done) => setImmediate(done));
    expect(eu.asked).toHaveLength(length);
  });

  it('and was lost by the collector is taken back', async () => {
    await using eu = await proving(honest);
    await eu.acknowledged(2, false);
    await eu.until(() => eu.taken.length > 0);
    expect([eu.spool.unprovenCount, eu.spool.batches.map(({ number }) => number)]).toEqual([0, [0, 1]]);
    expect(eu.said('collector.lost-batches')).toBe(1);
  });
});

describe('a log that shrank', () => {
  it('is told once, and again each hour, until it is what it was; nothing is deleted meanwhile', async () => {
    let shown: TestLog = log;
    await using eu = await proving((query) => ({
      ...proofsOf([shown], query.getAll('leaf'), fromOf(query)),
      unknown: [],
    }));
    await eu.acknowledged(3);
    await eu.until(() => eu.spool.unprovenCount === 0);
    const { seen } = eu.memory;
    shown = testLog(2026, undefined, log.key);
    shown.entries.push(...log.entries.slice(0, 2));
    await eu.acknowledged(1);
    await eu.until(() => eu.prover.refused !== undefined);
    const { length } = eu.asked;
    await eu.until(() => eu.asked.length >= length + 3);
    expect([eu.said('log.refused'), eu.memory.seen]).toEqual([1, seen]);
    eu.clock.monotonicMs += 60 * MINUTE_MS;
    await eu.until(() => eu.said('log.refused') === 2);
    shown = log;
    await eu.until(() => eu.spool.unprovenCount === 0);
    await eu.until(() => eu.prover.refused === undefined);
    expect(eu.said('log.consistent-again')).toBe(1);
  }, 20_000);
});

describe('an answer that is none', () => {
  it.each<[string, string | undefined]>([
    ['of 10 MB', 'x'.repeat(10_000_000)],
    ['a byte too long', ' '.repeat(maxAnswerBytes + 1)],
    ['no JSON', '<html>'],
    ['of another form', '{"logs":1}'],
    [
      'with a million hashes',
      `{"logs":[{"year":2026,"checkpoint":"","consistency":[${'"",'.repeat(80_000)}""]}],"leaves":[],"unknown":[]}`,
    ],
    ['503', undefined],
  ])('deletes nothing and says nothing of the log: %s', async (_, text) => {
    await using eu = await proving(() => text);
    await eu.acknowledged(1);
    await eu.until(() => eu.asked.length >= 3);
    expect([eu.spool.unprovenCount, eu.spool.batchCount, eu.prover.refused]).toEqual([1, 0, undefined]);
  });
});

it('a checkpoint file that holds none is set aside', () => {
  writeFileSync(join(dir, 'checkpoint'), 'x');
  const memory = checkpointMemory(dir);
  expect([memory.damaged, memory.seen]).toEqual([true, undefined]);
  expect(readFileSync(join(dir, 'checkpoint.damaged'), 'utf8')).toBe('x');
  expect(checkpointMemory(dir).damaged).toBe(false);
});
