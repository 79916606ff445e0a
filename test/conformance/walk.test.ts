/** walk.mjs against a log that the project's code has written: it finds nothing wrong with it, and finds each planted fault. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { sha256, signingKeyFromSeed } from '@highwater/config/keys.ts';
import { formatMaintLeaf } from '@highwater/config/proof/leaves.ts';
import {
  type Files,
  type Writing,
  logKey,
  operator,
  origin,
  serve,
  stranger,
  twoYears,
} from './published.ts';

const script = fileURLToPath(new URL('walk.mjs', import.meta.url));

async function walk(files: Files, ...flags: string[]): Promise<{ code: number | null; said: string }> {
  const served = await serve(files);
  try {
    const child = spawn(process.execPath, [script, served.url, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, said: out + error };
  } finally {
    await served.close();
  }
}

const good = twoYears();
const files = good.files();

describe('a good log', () => {
  test('all of it fits, with the keys that one has by another way and with the log’s own', async () => {
    const keys = [
      '--operator-key',
      operator.vkey,
      '--log-key',
      logKey(2026).vkey,
      '--log-key',
      logKey(2027).vkey,
    ];
    const { code, said } = await walk(files, ...keys);
    expect(said).toContain('all of it fits');
    expect(said).toContain('as given');
    expect(said).toMatch(/2027: 2 entries, root \S+, 1 tiles, 1 of 1 witnesses/);
    expect(said).toContain('0 not published');
    expect(code).toBe(0);
    expect((await walk(files)).code).toBe(0);
  });
  test('a body that is not published is told and no mismatch', async () => {
    const fewer = new Map(files);
    fewer.delete([...files.keys()].find((path) => path.includes('/body/')) ?? '');
    const { code, said } = await walk(fewer);
    expect(said).toContain('1 not published');
    expect(code).toBe(0);
  });
  test('two batches under one number are told', async () => {
    const writing = twoYears();
    writing.batch(2027, { number: 0, prev: Buffer.alloc(32).toString('base64') });
    const { code, said } = await walk(writing.files());
    expect(said).toMatch(
      /CONTRADICTION 2027 entry 2: eu-1 signed two batches 0 of epoch 1, the other is 2026 entry 2/,
    );
    expect(code).toBe(0);
  });
});

describe('faults in files', () => {
  const flips: [string, (path: string) => boolean][] = [
    ['2026/tile/0/000', (path) => path === '2026/tile/0/000'],
    ['2026/tile/0/001.p/', (path) => path.startsWith('2026/tile/0/001.p/')],
    ['2026/tile/1/000.p/1', (path) => path === '2026/tile/1/000.p/1'],
    ['2026/checkpoint', (path) => path === '2026/checkpoint'],
    ['2026 entry', (path) => path === '2026/tile/entries/000'],
    ['2027 entry 0: is not the last checkpoint of 2026', (path) => path === '2027/tile/entries/000.p/2'],
    ['2026 entry 1, body', (path) => path.startsWith('2026/body/')],
  ];
  test.each(flips)('one bit in %s', async (where, isIt) => {
    const changed = new Map(files);
    const path = [...files.keys()].find((one) => isIt(one)) ?? '';
    const bytes = Uint8Array.from(files.get(path) ?? []);
    const middle = where.startsWith('2027') ? 60 : bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    changed.set(path, bytes);
    const { code, said } = await walk(changed);
    expect(said).toContain(`MISMATCH ${where}`);
    expect(code).toBe(1);
  });

  const missing = ['2026/tile/0/000', '2026/tile/entries/000', '2027/checkpoint'];
  test.each(missing)('%s is missing', async (path) => {
    const changed = new Map(files);
    changed.delete(path);
    const { code, said } = await walk(changed);
    expect(said).toContain(`MISMATCH ${path}: is not there`);
    expect(code).toBe(1);
  });

  test('another key than the one that was given', async () => {
    const other = signingKeyFromSeed(origin, sha256(Buffer.from('other')));
    const { code, said } = await walk(files, '--operator-key', other.vkey);
    expect(said).toContain('MISMATCH keys: the operator key is not the one that was given');
    expect(code).toBe(1);
  });

  test('an operator key that is none', async () => {
    const { code, said } = await walk(files, '--operator-key', 'xx');
    expect(said).not.toContain('MISMATCH');
    expect(code).toBe(2);
  });

  test('a checkpoint by another key', async () => {
    const changed = new Map(files);
    changed.set('2026/checkpoint', Buffer.from(good.checkpoint(2026, stranger)));
    const { code, said } = await walk(changed);
    expect(said).toContain('MISMATCH 2026/checkpoint: no note signed by');
    expect(code).toBe(1);
  });
});

describe('faults that the log itself has signed', () => {
  const root = Buffer.alloc(32, 7).toString('base64');
  const faults: [string, RegExp, (writing: Writing) => void][] = [
    ['a batch by a key that was not enrolled', /2027 entry 2: a batch signed by stranger/, (w) => w.batch(2027, {}, stranger)],
    ['a leaf of an operator by a probe', /2027 entry 2: a maint signed by stranger/, (w) => {
      w.add(2027, stranger.sign(formatMaintLeaf({ act: 'declare', origin, from: 1, last: 1, subjects: ['rpc'] })));
    }],
    ['an entry that is no note', /2027 entry 2: is not a note of a known kind/, (w) => w.add(2027, 'hello')],
    ['a batch that does not name the one before', /does not name batch \d+ of probe eu-1/, (w) => w.batch(2027, { prev: root })],
    ['a number that is missing', /batches \d+ to 9000 are neither in the log nor declared/, (w) => {
      w.batch(2027, { number: 9_001 });
    }],
    ['a configuration that is none', /names \S+, which is no earlier config/, (w) => w.batch(2027, { config: root })],
    ['a tree that this log never was', /saw a tree of 5 entries/, (w) => w.batch(2027, { tip: { size: 5, root } })],
    ['the same batch twice', /is in the log already/, (w) => w.add(2027, w.entries.get(2027)?.[1] ?? '')],
    ['a cancellation of nothing', /names \S+, which is no earlier maint/, (w) => {
      w.add(2027, operator.sign(formatMaintLeaf({ act: 'cancel', origin, from: 1, leaf: root })));
    }],
    ['a year that does not go on from the one before', /2027 entry 0: is not the last checkpoint/, (w) => w.batch(2026)],
  ]; // prettier-ignore
  test.each(faults)('%s', async (_name, message, plant) => {
    const writing = twoYears();
    plant(writing);
    const { code, said } = await walk(writing.files());
    expect(said).toMatch(message);
    expect(code).toBe(1);
  });
});

test('nobody there, or no address: it says so and does not say that it fits', async () => {
  const { code, said } = await walk(new Map());
  expect(said).toContain('cannot ask');
  expect(code).toBe(2);
});
