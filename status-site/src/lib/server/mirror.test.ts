/** The mirror against a log that is really made, over real HTTP, with everything that can go wrong on the way and here. */
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey, openCheckpoint, parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { decodeBase64, encodeHex, sameBytes } from '@highwater/config/proof/bytes.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import { bundlePath, decodeBundle, tilePath } from '@highwater/config/proof/tiles.ts';
import { rootAt, rootOfLeaves, tilesForRoot } from '@highwater/config/proof/tree.ts';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  logServer,
  makeLog,
  operator,
  type LogServer,
  type MadeLog,
} from '../../../../test/fixtures/log-server.ts';
import { type Mirror, type MirrorOptions, type MirrorYear, openMirror } from './mirror.ts';
import { findBody, readTile } from './mirror-read.ts';

vi.setConfig({ testTimeout: 120_000 });

let dataDir: string;
let server: LogServer;
let log: MadeLog;
let stop: AbortController;
let lines: Record<string, unknown>[];
let running: Mirror[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mirror-'));
  log = makeLog();
  server = await logServer([2026, log]);
  stop = new AbortController();
  lines = [];
  running = [];
});
afterEach(async () => {
  await end();
  await server.kill();
  await rm(dataDir, { recursive: true, force: true });
});

async function end(): Promise<void> {
  stop.abort();
  await Promise.all(running.map(({ stopped }) => stopped));
  stop = new AbortController();
}

async function start(over: Partial<MirrorOptions> = {}): Promise<Mirror> {
  const logger = pino(
    {},
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const options = { collectorUrl: server.url, dataDir, log: logger, mirrorEveryMs: 5, ...over };
  const mirror = await openMirror(options, stop.signal);
  running.push(mirror);
  return mirror;
}

const until = (look: () => unknown) =>
  vi.waitFor(async () => expect(await look()).toBeTruthy(), { timeout: 20_000 });
const events = () => lines.map((line) => line['event']);
const holds = (mirror: Mirror, size: number) => until(() => mirror.shown()?.size === size);
const at = (...path: string[]) => join(dataDir, 'site', 'log', '2026', ...path);
const yearOf = (mirror: Mirror) => {
  const [year] = mirror.years().slice(-1);
  if (year === undefined) throw new Error('no log is held');
  return year;
};

/** Walks what is served as a stranger would: checkpoint, entries, tiles, and that they are one tree. */
async function walk(mirror: Mirror, made = log): Promise<number> {
  const year = yearOf(mirror);
  const opened = openCheckpoint(year.held()?.note ?? '', parseVerifier(made.key.vkey));
  if ('error' in opened) throw new Error(opened.error);
  const { size, root } = opened.checkpoint;
  const hashes: Uint8Array[] = [];
  for (let index = 0; index * 256 < size; index += 1) {
    const bytes = await readTile(year, bundlePath(index, Math.min(256, size - index * 256)));
    const entries = decodeBundle(bytes ?? new Uint8Array());
    if ('error' in entries) throw new Error(`bundle ${index}: ${entries.error}`);
    hashes.push(...entries.map((entry) => leafHash(entry, sha256)));
  }
  const tiles = new Map<string, Uint8Array>();
  for (const tile of tilesForRoot(size))
    tiles.set(tilePath(tile), (await readTile(year, tilePath(tile))) ?? new Uint8Array());
  const byTiles = rootAt(size, (tile) => tiles.get(tilePath(tile)) ?? new Uint8Array(), sha256);
  expect(sameBytes(rootOfLeaves(hashes, sha256), byTiles)).toBe(true);
  expect(sameBytes(byTiles, decodeBase64(root) ?? new Uint8Array())).toBe(true);
  return size;
}

/** Whether a file is served, as its log has it. */
async function isServed(year: MirrorYear, path: string): Promise<boolean> {
  return sameBytes((await readTile(year, path)) ?? new Uint8Array(), log.file(path) ?? new Uint8Array(1));
}

const hasBodies = async (mirror: Mirror, made = log) => {
  for (const hex of made.bodies.keys())
    if (typeof (await findBody(yearOf(mirror), hex)) !== 'object') return false;
  return true;
};

describe('growth', () => {
  test('each size is taken whole, with its bodies, and narrower partial tiles are cut from wider ones', async () => {
    log.grow(1);
    const mirror = await start();
    let before = 1;
    for (const size of [1, 2, 5, 255, 256, 257, 511, 512, 518]) {
      log.grow(size - before);
      before = size;
      await holds(mirror, size);
      expect(await walk(mirror)).toBe(size);
      for (const width of [1, 2, 255, 256])
        if (width <= size) expect(await isServed(yearOf(mirror), bundlePath(0, width))).toBe(true);
      const wider = size % 256 === 255 ? undefined : bundlePath(Math.floor(size / 256), (size % 256) + 1);
      if (wider !== undefined) expect(await readTile(yearOf(mirror), wider)).toBeUndefined();
    }
    await until(() => hasBodies(mirror));
    expect(await readdir(at('tile', 'entries', '002.p'))).toEqual(['6']);
    for (const index of ['000', '001'])
      expect(await readdir(at('tile', '0', `${index}.p`)).catch(() => [])).toEqual([]);
    expect(events()).not.toContain('mirror.refused');
  });

  test('cosignatures that come later are added, and none is lost', async () => {
    log.grow(3);
    const mirror = await start();
    await holds(mirror, 3);
    const checkedAt = mirror.shown()?.checkedAt;
    const note = log.checkpoint();
    const text = note.slice(0, note.indexOf('\n\n') + 1);
    const line = (name: string) => `${generateSigningKey(name).sign(text).split('\n').at(-2)}\n`;
    const [first, second] = [line('w1'), line('w2')];
    server.checkpoints.set(2026, note + first);
    await until(() => yearOf(mirror).held()?.note.includes(first));
    server.checkpoints.set(2026, note + second);
    await until(() => yearOf(mirror).held()?.note.includes(second));
    expect(yearOf(mirror).held()?.note).toBe(note + first + second);
    expect(mirror.shown()?.checkedAt).toBe(checkedAt);
    await end();
    const again = await start();
    expect(yearOf(again).held()?.note).toBe(note + first + second);
    expect(again.shown()?.checkedAt).toBe(checkedAt);
  });

  test('a new year comes beside the old one, which stays when the collector has it no more', async () => {
    log.grow(4);
    const mirror = await start();
    await holds(mirror, 4);
    const next = makeLog(2027);
    next.grow(2);
    server.logs.set(2027, next);
    await until(() => mirror.shown()?.year === 2027);
    await until(() => hasBodies(mirror, next));
    server.logs.delete(2026);
    await end();
    const again = await start();
    expect(again.years().map(({ year }) => year)).toEqual([2026, 2027]);
    const [old] = again.years();
    expect(old && (await isServed(old, bundlePath(0, 4)))).toBe(true);
  });

  test('the policy is taken when its logs are these', async () => {
    log.grow(1);
    server.policy = `log ${log.key.vkey}\nquorum none\n`;
    const mirror = await start();
    await until(async () => Buffer.from((await mirror.policy()) ?? []).toString() === server.policy);
    server.policy = `log ${generateSigningKey('status.example/log/2026').vkey}\nquorum none\n`;
    const seen = server.asked.filter((path) => path === '/log/policy').length;
    await until(() => server.asked.filter((path) => path === '/log/policy').length > seen + 1);
    expect(Buffer.from((await mirror.policy()) ?? []).toString()).toContain(log.key.vkey);
    expect(mirror.shown()?.vouched).toEqual({ by: [], of: 0, met: true });
  });
});

describe('what contradicts is never taken', () => {
  async function refusedBy(mirror: Mirror, because: RegExp): Promise<void> {
    await until(() => because.test(mirror.shown()?.refused?.because ?? ''));
    expect(lines.find((line) => line['event'] === 'mirror.refused')).toMatchObject({ level: 50 });
    expect(await walk(mirror)).toBe(300);
    expect(lines.filter((line) => line['event'] === 'mirror.refused')).toHaveLength(1);
  }
  beforeEach(() => log.grow(300));

  test('a log that shrank, also after a restart; it is over when it has grown again', async () => {
    let mirror = await start();
    await holds(mirror, 300);
    server.checkpoints.set(2026, log.checkpoint(299));
    await refusedBy(mirror, /shrank: it has 299 entries, and had 300/);
    await end();
    lines = [];
    mirror = await start();
    await refusedBy(mirror, /shrank/);
    expect(await readdir(at('refused'))).toHaveLength(1);
    log.grow(1);
    server.checkpoints.delete(2026);
    await holds(mirror, 301);
    await until(() => mirror.shown()?.refused === undefined);
  });

  test.each([300, 310, 600])('a fork of %d entries that differs in the last one', async (size) => {
    const mirror = await start();
    await holds(mirror, 300);
    // The same beginning, another entry 299.
    const forked = makeLog(2026, log.key);
    forked.grow(299);
    forked.grow(size - 299, 2);
    server.logs.set(2026, forked);
    await refusedBy(mirror, /forked/);
  });

  test('another key for the year, and a checkpoint by it', async () => {
    const mirror = await start();
    await holds(mirror, 300);
    const other = makeLog();
    other.grow(400);
    server.logs.set(2026, other);
    await until(() => mirror.shown()?.refused !== undefined);
    expect(await walk(mirror)).toBe(300);
    expect(events()).toContain('mirror.refused');
    await end();
    expect((await start()).shown()).toMatchObject({ size: 300, key: log.key.vkey });
  });

  test('another operator', async () => {
    const mirror = await start();
    await holds(mirror, 300);
    server.keys = () => `operator ${generateSigningKey('status.example/log').vkey}\nlog ${log.key.vkey}\n`;
    await refusedBy(mirror, /operator's key/);
    expect(mirror.operatorKey()).toBe(operator.vkey);
  });
});

describe('damage on the way', () => {
  const flip = (bytes: Uint8Array, place: number) => {
    const other = Buffer.from(bytes);
    other[place] = (other[place] ?? 0) ^ 1;
    return other;
  };

  test.each(['tile/0/', 'tile/1/', 'tile/entries/', 'body/', 'checkpoint', 'keys'])(
    'one flipped bit in %s is never kept, and the next answer is',
    async (what) => {
      log.grow(300);
      let flipped = 0;
      server.err = (path, res, right) => {
        if (!path.includes(what) || right === undefined || flipped >= 6) return false;
        flipped += 1;
        res.end(flip(right, (flipped * 997) % right.length));
        return true;
      };
      const mirror = await start();
      await holds(mirror, 300);
      await walk(mirror);
      server.err = () => false;
      // Bodies that failed come with the next growth.
      log.grow(1);
      await holds(mirror, 301);
      await until(() => hasBodies(mirror));
      expect(flipped).toBeGreaterThan(0);
    },
  );

  test('endless, slow and short answers change nothing, cost no memory, and end', async () => {
    log.grow(10);
    const mirror = await start({ deadlineMs: 300 });
    await holds(mirror, 10);
    log.grow(10);
    let kind = 0;
    let erred = 0;
    server.err = (path, res, right) => {
      if (path === '/log/keys' || right === undefined) return false;
      erred += 1;
      kind = (kind + 1) % 4;
      const part = Buffer.alloc(65_536, 'x');
      res.on('error', () => undefined);
      if (kind === 0) {
        const pour = () => {
          while (!res.destroyed && res.write(part));
        };
        res.on('drain', pour);
        pour();
      } else if (kind === 1) res.writeHead(200).write('h');
      else if (kind === 2) res.writeHead(200, { 'content-length': right.length }).end(right.subarray(1));
      else res.writeHead(500).end();
      return true;
    };
    await until(() => erred > 5);
    expect(mirror.shown()?.size).toBe(10);
    await walk(mirror);
    server.err = () => false;
    await holds(mirror, 20);
    await until(() => hasBodies(mirror));
  });

  test('a body that is not public is asked for once, and others are not kept from coming', async () => {
    log.grow(5);
    const [secret = ''] = log.names;
    log.bodies.delete(secret);
    const mirror = await start();
    await holds(mirror, 5);
    await until(() => hasBodies(mirror));
    const asked = () => server.asked.filter((path) => path.endsWith(secret)).length;
    await until(() => asked() === 1);
    log.grow(1);
    await until(() => hasBodies(mirror));
    expect(asked()).toBe(1);
  });
});

describe('a process that was killed', () => {
  test('goes on, whatever it leaves half done: from each of its files cut or gone', async () => {
    log.grow(600);
    const mirror = await start();
    await holds(mirror, 600);
    await until(() => hasBodies(mirror));
    await end();
    const files = (await readdir(at(), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name !== 'key')
      .map((entry) => join(entry.parentPath, entry.name));
    const bodies = files.filter((file) => file.includes('/body/'));
    const others = files.filter((file) => !file.includes('/body/'));
    expect(others.length).toBeGreaterThan(8);
    for (const file of [...others, ...bodies.slice(0, 2)]) {
      const whole = await readFile(file);
      for (const how of ['cut', 'gone', 'other'] as const) {
        if (how === 'cut') await truncate(file, Math.floor(whole.length / 2));
        else if (how === 'gone') await rm(file, { force: true });
        else await writeFile(file, Buffer.alloc(whole.length, 'x'));
        const again = await start();
        await holds(again, 600);
        await until(async () => (await walk(again).catch(() => 0)) === 600);
        if (file.includes('/body/')) {
          const hex = file.slice(-64);
          // Who asks for it finds out, is told that it is not there, and the next one has it again.
          expect(typeof (await findBody(yearOf(again), hex))).not.toBe('object');
          await again.lost(yearOf(again));
          await until(async () => typeof (await findBody(yearOf(again), hex)) === 'object');
        }
        await end();
      }
      await writeFile(file, whole);
    }
  });

  test('in the middle of a long catching up does not fetch again what it has', async () => {
    log.grow(2_000);
    let bundles = 0;
    let broken = false;
    server.err = (path, res) => {
      if (!path.includes('/tile/entries/')) return false;
      bundles += 1;
      broken ||= bundles > 5;
      if (broken) res.destroy();
      return broken;
    };
    const mirror = await start();
    await until(() => broken);
    expect(mirror.shown()).toBeUndefined();
    await end();
    broken = false;
    bundles = -1_000;
    await holds(await start(), 2_000);
    expect(bundles).toBe(-1_000 + 8 - 5);
  });

  test('with the collector dead, all that was taken is there', async () => {
    log.grow(300);
    const mirror = await start();
    await holds(mirror, 300);
    await until(() => hasBodies(mirror));
    await end();
    await server.kill();
    const again = await start();
    expect(await walk(again)).toBe(300);
    expect(await hasBodies(again)).toBe(true);
    expect(again.shown()?.refused).toBeUndefined();
  });
});

describe('bounds', () => {
  test('of all bodies the newest are kept, also through a restart', async () => {
    log.grow(768);
    const each = [...log.bodies.values()][0]?.length ?? 0;
    const mirror = await start({ maxBodyBytes: 300 * each });
    await holds(mirror, 768);
    const kept = async (m: Mirror, from = 0) => {
      const found = await Promise.all(log.names.slice(from).map((hex) => findBody(yearOf(m), hex)));
      return found.map((one) => typeof one === 'object');
    };
    await until(
      async () =>
        // In this order: to look at all is much work.
        yearOf(mirror).bodies.bytes() === 256 * each && (await kept(mirror)).lastIndexOf(false) === 511,
    );
    await end();
    const again = await start({ maxBodyBytes: 300 * each });
    log.grow(100);
    await holds(again, 868);
    await until(async () => (await kept(again, 768)).every(Boolean));
    await until(() => yearOf(again).bodies.bytes() <= 300 * each);
    expect(await kept(again, 768)).not.toContain(false);
  });

  test('newest first', async () => {
    log.grow(300);
    const mirror = await start();
    await holds(mirror, 300);
    await until(() => hasBodies(mirror));
    const asked = server.asked.filter((path) => path.includes('/body/')).map((path) => path.slice(-64));
    // Four entries at once.
    const early = asked.map((hex, i) => log.names.length - 1 - log.names.indexOf(hex) - i);
    expect(Math.max(...early.map(Math.abs))).toBeLessThan(4);
  });
});

test('a hex of the other case is no name', async () => {
  log.grow(1);
  const mirror = await start();
  await holds(mirror, 1);
  const [hex = ''] = log.names;
  await until(async () => typeof (await findBody(yearOf(mirror), hex)) === 'object');
  expect(await findBody(yearOf(mirror), hex.toUpperCase())).toBeUndefined();
  expect(await findBody(yearOf(mirror), encodeHex(new Uint8Array(31)))).toBeUndefined();
});
