/** The collector's witnesses against a standard one that shares no code with it (test/fixtures/witness.ts), over HTTP. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_ANSWER_BYTES, askWithin } from '@highwater/collector/log/witness-ask.ts';
import { type WitnessError, type Witnesses, openWitnesses } from '@highwater/collector/log/witnesses.ts';
import { loops } from '@highwater/collector/loops.ts';
import { openSqliteStore } from '@highwater/collector/store/sqlite/sqlite-store.ts';
import type { Store } from '@highwater/collector/store/store.ts';
import {
  cosignaturesOf,
  openCheckpoint,
  parseVerifier,
  parseWitnessVerifier,
  sha256,
  signingKeyFromSeed,
} from '@highwater/config/keys.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { formatCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import { parseTilePath } from '@highwater/config/proof/tiles.ts';
import { rootOfLeaves } from '@highwater/config/proof/tree.ts';
import type { Alarm } from '@highwater/config/wire.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StandardWitness } from '../fixtures/witness.ts';

const YEAR = 2026;
const silent = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

/** A log in memory: as much of it as witnesses see. */
class MemoryLog {
  readonly key = signingKeyFromSeed(`status.example.com/log/${YEAR}`, new Uint8Array(32).fill(7));
  readonly keys = [this.key.vkey];
  readonly years = [{ year: YEAR, key: this.key.vkey }];
  readonly leaves: Uint8Array[] = [];
  readonly aheads: [string, number, number][] = [];
  readonly levels: string[] = [];
  readonly #word: string;
  #text = '';
  #note: string | undefined;

  /** Logs of other words are other histories under the same key. */
  constructor(word = 'entry') {
    this.#word = word;
  }

  get size(): number {
    return this.leaves.length;
  }

  /** The text of the newest checkpoint. */
  get text(): string {
    return this.#text;
  }

  root(size = this.size): string {
    return encodeBase64(rootOfLeaves(this.leaves.slice(0, size), sha256));
  }

  grow(size: number): void {
    while (this.size < size) this.leaves.push(leafHash(utf8(`${this.#word} ${this.size}`), sha256));
    this.#text = formatCheckpointText({ origin: this.key.name, size, root: this.root() });
    this.#note = this.key.sign(this.#text);
  }

  checkpoint = async (): Promise<string | undefined> => this.#note;

  tile = async (_: number, path: string): Promise<Uint8Array | undefined> => {
    const parsed = parseTilePath(path);
    if (parsed?.kind !== 'hashes') return undefined;
    const { level, index, width } = parsed.tile;
    const span = 256 ** level;
    const hashes = Array.from({ length: width }, (_, i) => {
      const from = (index * 256 + i) * span;
      return rootOfLeaves(this.leaves.slice(from, from + span), sha256);
    });
    return Buffer.concat(hashes);
  };

  cosigned = async (_: number, size: number, lines: readonly string[]): Promise<void> => {
    if (size === this.size) this.#note += lines.map((line) => `${line}\n`).join('');
  };

  ahead = async (from: string, size: number, year: number): Promise<void> => {
    this.aheads.push([from, size, year]);
  };

  level = (from: string, year: number): void => void this.levels.push(`${from} ${year}`);

  /** Names of the witnesses whose cosignatures on the published checkpoint hold. */
  cosigners(...witnesses: readonly StandardWitness[]): string[] {
    const opened = openCheckpoint(this.#note ?? '', parseVerifier(this.key.vkey));
    if ('error' in opened) throw new Error(opened.error);
    const verifiers = witnesses.map(({ vkey }) => parseWitnessVerifier(vkey));
    return cosignaturesOf(opened.note, verifiers).map(({ witness }) => witness.name);
  }
}

let folder: string;
let store: Store;
let log: MemoryLog;
let witness: StandardWitness;
let other: StandardWitness;
let alarms: Alarm[];
let cleared: string[];
let errors: WitnessError[];
let end: (() => Promise<void>)[];
/** Ours, put forward by hand. */
let skewMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'highwater-witness-'));
  store = openSqliteStore(folder);
  log = new MemoryLog();
  witness = await new StandardWitness({ prefix: '/w' }).start();
  other = await new StandardWitness({ name: 'witness.example.org' }).start();
  for (const each of [witness, other]) each.add(log.key.vkey);
  skewMs = 0;
  alarms = [];
  cleared = [];
  errors = [];
  end = [];
});

afterEach(async () => {
  for (const each of end.reverse()) await each();
  await Promise.all([witness.stop(), other.stop()]);
  await store[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface Opened extends Witnesses {
  stop(): Promise<void>;
  grow(size: number): void;
}

/** The collector's side, running; `deadlineMs` of one request. */
async function open(list: readonly StandardWitness[] = [witness], deadlineMs = 5_000): Promise<Opened> {
  const ending = new AbortController();
  const witnesses = await openWitnesses({
    config: {
      witnesses: {
        quorum: list.length,
        list: list.map(({ url, vkey }, i) => ({ id: `w${i}`, url, key: vkey, everyMs: 0 })),
      },
    },
    log,
    store,
    clock: { now: () => Date.now() + skewMs, monotonic: () => performance.now() },
    logger: silent,
    signal: ending.signal,
    alarm: (alarm) => alarms.push(alarm),
    cleared: (key) => cleared.push(key),
    count: (_, error) => errors.push(error),
    ask: askWithin(deadlineMs),
    random: () => 0,
  });
  const running = loops(witnesses.turns, silent, ending.signal);
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  end.push(stop);
  return {
    ...witnesses,
    stop,
    grow(size) {
      log.grow(size);
      witnesses.published();
    },
  };
}

/** Waits until it holds. */
const becomes = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 10 });

const cosigned = (size: number, by = witness) =>
  becomes(() => {
    expect(log.size).toBe(size);
    expect(log.cosigners(by)).toEqual([by.name]);
  });

/** The same for what comes at another attempt: each wait between them is over at once. */
const becomesInTime = (witnesses: Witnesses, check: () => void): Promise<void> =>
  becomes(() => {
    skewMs += 60_000;
    witnesses.published();
    check();
  });

/** Why its last answer was no cosignature. */
const errorOf = (witnesses: Witnesses) => witnesses.status().witnesses[0]?.error;

const olds = () => witness.requests.map((body) => body.split('\n', 1)[0]);

describe('a witness that is well', () => {
  it('cosigns each checkpoint of a log that grows, from the one that it cosigned before', async () => {
    const witnesses = await open();
    const sizes = [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 700];
    for (const size of sizes) {
      witnesses.grow(size);
      await cosigned(size);
    }
    expect(olds()).toEqual([0, ...sizes.slice(0, -1)].map((old) => `old ${old}`));
    expect(witness.most).toBe(1);
    expect(witness.heads.get(log.key.name)).toEqual({ size: 700, root: log.root() });
    await becomes(() =>
      expect(witnesses.status()).toMatchObject({ quorum: true, witnesses: [{ size: 700 }] }),
    );
    expect(errorOf(witnesses)).toBeUndefined();
    expect(errors).toEqual([]);
    expect(witnesses.figures()).toEqual([
      {
        id: 'w0',
        size: 700,
        cosignedAt: expect.any(Number) as number,
      },
    ]);
  });

  it('is asked again after a start of ours, from what it cosigned, so that it can say what it knows', async () => {
    const first = await open();
    first.grow(5);
    await cosigned(5);
    await first.stop();
    log.grow(9);
    const second = await open();
    expect(second.status().witnesses).toMatchObject([{ size: 5 }]);
    await second.heard;
    await cosigned(9);
    await second.stop();
    const third = await open();
    await third.heard;
    expect(olds()).toEqual(['old 0', 'old 5', 'old 9']);
    expect(third.status().quorum).toBe(true);
  });

  it('whose answer was lost on the way cosigns from what it says that it has', async () => {
    witness.lie = () => new Promise(() => undefined);
    log.grow(5);
    const first = await open([witness], 100);
    await first.heard;
    await first.stop();
    witness.lie = undefined;
    expect(witness.heads.get(log.key.name)?.size).toBe(5);
    log.grow(8);
    await open();
    await cosigned(8);
    expect(olds()).toEqual(['old 0', 'old 0', 'old 5']);
  });

  it('that was away and forgot is asked from what it says', async () => {
    const witnesses = await open();
    witnesses.grow(300);
    await cosigned(300);
    witness.heads.clear();
    witnesses.grow(301);
    await cosigned(301);
    expect(olds()).toEqual(['old 0', 'old 300', 'old 0']);
  });
});

describe('a witness that is down or slow', () => {
  it('is asked again until it is back, for the newest checkpoint alone, and delays no other', async () => {
    const witnesses = await open([witness, other]);
    witnesses.grow(5);
    await cosigned(5);
    await witness.stop();
    for (const size of [6, 7, 8]) {
      witnesses.grow(size);
      await cosigned(size, other);
    }
    await becomes(() => expect(errorOf(witnesses)).toMatch(/^not reached \(E/));
    await witness.start();
    await cosigned(8);
    expect(olds()).toEqual(['old 0', 'old 5']);
    expect(errorOf(witnesses)).toBeUndefined();
  });

  it('is given up on after its deadline, and delays no other', async () => {
    witness.lie = () => new Promise(() => undefined);
    const witnesses = await open([witness, other], 100);
    witnesses.grow(5);
    await cosigned(5, other);
    await becomes(() => expect(errorOf(witnesses)).toBe('no answer within 0.1 s'));
    expect(log.cosigners(witness, other)).toEqual([other.name]);
    await becomes(() => expect(witnesses.status().quorum).toBe(false));
  });

  it('that drips its answer is given up on as well', async () => {
    const drip = createServer((request, response) => {
      request.resume();
      response.writeHead(200);
      const timer = setInterval(() => response.write('— '), 10);
      response.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => drip.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(drip.address() as AddressInfo).port}`;
    const reply = await askWithin(100)(url, 'x', new AbortController().signal);
    drip.closeAllConnections();
    drip.close();
    expect(reply).toEqual({ error: 'no answer within 0.1 s' });
  });
});

describe('a witness that knows of another history', () => {
  /** It has cosigned this log before, elsewhere: the same key, other entries or more of them. */
  async function elsewhere(size: number, word: string): Promise<void> {
    const theirs = new MemoryLog(word);
    theirs.grow(size);
    witness.heads.set(log.key.name, { size, root: theirs.root() });
  }

  it.each(['entry', 'other'])('a larger size stops the signing (%s)', async (word) => {
    await elsewhere(12, word);
    log.grow(5);
    const witnesses = await open();
    await witnesses.heard;
    expect(log.aheads).toEqual([['witness w0', 12, YEAR]]);
    expect(log.cosigners(witness)).toEqual([]);
    expect(errorOf(witnesses)).toBe('it has cosigned size 12, and this store has signed 5');
    expect(errors).toContain('ahead');
  });

  it.each([3, 5])('another root at size %d of our 5 raises an alarm, once', async (size) => {
    await elsewhere(size, 'other');
    const witnesses = await open();
    witnesses.grow(5);
    await becomesInTime(witnesses, () =>
      expect(errors.filter((error) => error === 'forked').length).toBeGreaterThan(1),
    );
    expect(alarms.map(({ key }) => key)).toEqual(['log/witness/w0']);
    expect(alarms[0]?.remedy).toMatch(/^the log goes on, since a witness says this without proof/);
    expect(errorOf(witnesses)).toContain(`at size ${size}`);
    expect(log.cosigners(witness)).toEqual([]);
    // Nothing tells the log to stop.
    expect(log.aheads).toEqual([]);
    witness.heads.clear();
    await becomesInTime(witnesses, () => expect(log.cosigners(witness)).toEqual([witness.name]));
    expect(cleared).toContain('log/witness/w0');
  });
});

describe('a witness at fault', () => {
  const nextYear = Math.floor(Date.now() / 1_000) + 366 * 86_400;
  const size = (body: string, type = 'text/x.tlog.size') => ({ status: 409, type, body });

  it.each<[string, typeof witness.lie, RegExp]>([
    [
      'a cosignature of another checkpoint',
      (_, { text }) => ({ status: 200, body: `${witness.cosign(text.replace('\n5\n', '\n6\n'))}\n` }),
      /does not fit this checkpoint/,
    ],
    [
      'a cosignature from the future',
      (_, { text }) => ({ status: 200, body: `${witness.cosign(text, nextYear)}\n` }),
      /from the future/,
    ],
    [
      'the cosignature of somebody else',
      (_, { text }) => ({ status: 200, body: `${other.cosign(text)}\n` }),
      /none by the key witness\.example\.net\/w1\+/,
    ],
    ['nothing', () => ({ status: 200, body: '' }), /none by the key/],
    [
      'a cosignature without its line feed',
      (answer) => ({ ...answer, body: answer.body.toString().trimEnd() }),
      /not text in lines/,
    ],
    [
      'garbage',
      () => ({ status: 200, body: Buffer.from([0xff, 0xfe, 0x0a]) }),
      /no signature|not text in lines/,
    ],
    ['a page', () => ({ status: 200, body: '<html>\n<p>It works\n' }), /a line that is no signature/],
    [
      '1 MB',
      () => ({ status: 200, body: Buffer.alloc(1_000_000, 'a') }),
      new RegExp(`larger than ${MAX_ANSWER_BYTES} bytes`),
    ],
    ['1 MB of a conflict', () => size('9'.repeat(1_000_000)), /larger than/],
    ['a conflict without a size', () => size(''), /a conflict and no size/],
    ['a conflict with a word', () => size('four\n'), /a conflict and no size/],
    ['a conflict with a leading zero', () => size('03\n'), /a conflict and no size/],
    ['a conflict with a sign', () => size('-3\n'), /a conflict and no size/],
    ['a conflict without its line feed', () => size('3'), /a conflict and no size/],
    ['a conflict past what numbers hold', () => size('99999999999999999\n'), /a conflict and no size/],
    ['a conflict of another type', () => size('3\n', 'text/plain'), /a conflict and no size/],
    ['a size that can not be', () => size('9007199254740991\n'), /more than can have been written/],
    ['a conflict that is none', () => size('0\n'), /size 0 last, as it was told/],
    [
      'another size each time',
      () => size(`${1 + (witness.requests.length % 4)}\n`),
      /another size each time/,
    ],
    ['a proof refused where none is needed', () => ({ status: 422, body: '' }), /from the empty tree/],
    ['400', () => ({ status: 400, body: '' }), /malformed \(400\)/],
    ['403', () => ({ status: 403, body: '' }), /\(403\)/],
    ['404', () => ({ status: 404, body: '' }), /\(404\)/],
    ['429', () => ({ status: 429, body: '', headers: { 'retry-after': '0' } }), /\(429\): set `every`/],
    ['500', () => ({ status: 500, body: 'x' }), /it answers 500/],
    ['503', () => ({ status: 503, body: '', headers: { 'retry-after': 'soon' } }), /busy \(503\)/],
    [
      'a redirect',
      () => ({ status: 307, body: '', headers: { location: `${other.url}/add-checkpoint` } }),
      /redirects \(307\)/,
    ],
  ])('%s is no cosignature, and said; once it is well its cosignature is taken', async (_, lie, said) => {
    witness.lie = lie;
    const witnesses = await open();
    witnesses.grow(5);
    await becomesInTime(witnesses, () => expect(errorOf(witnesses)).toMatch(said));
    expect(log.cosigners(witness, other)).toEqual([]);
    expect(other.requests).toEqual([]);
    expect(log.aheads).toEqual([]);
    expect(witnesses.status().quorum).toBe(false);
    witness.lie = undefined;
    await becomesInTime(witnesses, () => expect(log.cosigners(witness)).toEqual([witness.name]));
    await becomes(() => expect(errorOf(witnesses)).toBeUndefined());
  });

  it('one that says once that it knows more is asked again, and stops nothing', async () => {
    witness.lie = () => {
      witness.lie = undefined;
      return size('12\n');
    };
    const witnesses = await open();
    witnesses.grow(5);
    await cosigned(5);
    expect(witness.requests).not.toHaveLength(1);
    expect(log.aheads).toEqual([]);
    expect(log.levels).toContain(`witness w0 ${YEAR}`);
  });

  it('one that names a size that can not be is told to people, until it cosigns', async () => {
    witness.lie = () => size('9007199254740991\n');
    const witnesses = await open();
    witnesses.grow(5);
    await becomesInTime(witnesses, () => expect(alarms.map(({ key }) => key)).toEqual(['log/witness/w0']));
    expect(errors).toContain('absurd');
    witness.lie = undefined;
    await cosigned(5);
    expect(cleared).toContain('log/witness/w0');
    expect(log.aheads).toEqual([]);
  });

  it('lines of others and garbage beside a good cosignature are left out, and the garbage is said', async () => {
    witness.lie = (answer, { text }) => ({
      status: 200,
      body: `${other.cosign(text)}\nnonsense\n${witness.cosign(`${text}x\n`)}\n${answer.body.toString()}`,
    });
    const witnesses = await open();
    witnesses.grow(5);
    await cosigned(5);
    expect(log.cosigners(other)).toEqual([]);
    expect(await log.checkpoint()).not.toContain('nonsense');
    expect(errors).toEqual(['bad-cosignature']);
  });

  it('a log that it was not given, and one whose key it does not have', async () => {
    const stranger = await new StandardWitness({ prefix: '/w' }).start();
    end.push(() => stranger.stop());
    const witnesses = await open([stranger]);
    witnesses.grow(5);
    await becomes(() => expect(errorOf(witnesses)).toMatch(/404/));
    stranger.add(signingKeyFromSeed(log.key.name, new Uint8Array(32).fill(8)).vkey);
    await becomesInTime(witnesses, () => expect(errorOf(witnesses)).toMatch(/403/));
  });
});

describe('what is sent', () => {
  it('is the form that tlog-witness prints: old size, hashes, an empty line, the checkpoint signed by the log alone', async () => {
    const witnesses = await open([witness, other]);
    witnesses.grow(5);
    await Promise.all([cosigned(5), cosigned(5, other)]);
    witnesses.grow(7);
    await cosigned(7);
    const [old, ...rest] = (witness.requests.at(-1) ?? '').split('\n');
    const empty = rest.indexOf('');
    expect(old).toBe('old 5');
    expect(rest.slice(0, empty).every((line) => /^[A-Za-z0-9+/]{43}=$/.test(line))).toBe(true);
    expect(rest.slice(empty + 1).join('\n')).toBe(log.key.sign(log.text));
  });
});

it('without witnesses nobody is asked and no quorum is claimed', async () => {
  const witnesses = await openWitnesses({
    config: {},
    log,
    store,
    clock: { now: () => 0, monotonic: () => 0 },
    logger: silent,
    signal: new AbortController().signal,
    alarm: () => undefined,
    cleared: () => undefined,
    count: () => undefined,
  });
  log.grow(3);
  witnesses.published();
  await witnesses.heard;
  expect(witnesses.turns).toEqual({});
  expect(witnesses.status()).toEqual({ witnesses: [] });
});
