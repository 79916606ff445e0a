/** Bodies against a limit and a disk that end in the middle of a bundle, as a hostile collector may name them. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLog, type MadeLog } from '../../../../test/fixtures/log-server.ts';
import { type Bodies, type BodyLimit, openBodies } from './mirror-bodies.ts';
import { type Files, filesIn, NoRoom } from './mirror-files.ts';
import type { Source } from './mirror-source.ts';
import { KEEP_FREE_BYTES, type YearLog } from './mirror-year.ts';

const BODY_BYTES = 10_000;
const ENTRIES = 200;
const silent = pino({ level: 'silent' });
const running = new AbortController().signal;
let dir: string;
let files: Files;
let log: MadeLog;
let year: YearLog;
/** The most that was seen on the disk while a body came. */
let mostBytes: number;
let source: Source;

const onDisk = (): number =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && one.parentPath.includes('/body/'))
    .reduce(
      (bytes, one) =>
        bytes + (statSync(join(one.parentPath, one.name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bodies-'));
  files = filesIn(dir);
  log = makeLog();
  for (let i = 0; i < ENTRIES; i += 1) log.growWith(`${`${i}`.padEnd(BODY_BYTES - 1, 'x')}\n`);
  const path = `tile/entries/000.p/${ENTRIES}`;
  await files.write(path, log.file(path) ?? '');
  const held = () => ({ note: '', size: ENTRIES, root: new Uint8Array(), at: 0 });
  year = { year: 2026, key: '', files, held, look: async () => false, mend: async () => undefined };
  mostBytes = 0;
  source = {
    get: async () => undefined,
    parts: async (asked) => {
      const body = log.bodies.get(asked.slice(-64)) ?? new Uint8Array();
      return (async function* () {
        yield body.subarray(0, 5_000);
        yield body.subarray(5_000);
        mostBytes = Math.max(mostBytes, onDisk());
      })();
    },
  };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const limited = (bodies: Bodies, maxBytes: number): BodyLimit => ({
  maxBytes,
  fits: (bytes) => bodies.bytes() + bytes <= maxBytes,
});

/** How many of the newest are here; fails where one of them is missing. */
async function newest(): Promise<number> {
  const here = await Promise.all(
    log.names.map(async (hex) => (await files.stat(`body/${hex.slice(0, 2)}/${hex}`)) !== undefined),
  );
  const first = here.indexOf(true);
  expect(here.slice(first)).not.toContain(false);
  return here.length - first;
}

test('what one bundle names is never over the limit, and the newest of it come', async () => {
  const bodies = await openBodies(year, silent, async () => undefined);
  const limit = limited(bodies, 10.5 * BODY_BYTES);
  expect(await bodies.fetch(source, limit, running)).toBe(BODY_BYTES);
  expect([await newest(), bodies.bytes()]).toEqual([10, 10 * BODY_BYTES]);
  expect(mostBytes).toBeGreaterThan(9 * BODY_BYTES);
  expect(mostBytes).toBeLessThanOrEqual(limit.maxBytes);
});

test('one that is over the limit by itself is left out, and keeps no other from coming', async () => {
  const bodies = await openBodies(year, silent, async () => undefined);
  expect(await bodies.fetch(source, limited(bodies, BODY_BYTES - 1), running)).toBeUndefined();
  expect([bodies.bytes(), onDisk()]).toEqual([0, 0]);
});

test('a disk that fills up in the middle of a bundle keeps its half gibibyte; what came stays, the rest comes later', async () => {
  let sizeBytes = KEEP_FREE_BYTES + 25.5 * BODY_BYTES;
  const demand = async (_: string, bytes: number) => {
    if (sizeBytes - onDisk() < bytes) throw new NoRoom('full');
  };
  const bodies = await openBodies(year, silent, demand);
  const limit = limited(bodies, 1_000_000_000);
  await expect(bodies.fetch(source, limit, running)).rejects.toThrow(NoRoom);
  expect(sizeBytes - mostBytes).toBeGreaterThanOrEqual(KEEP_FREE_BYTES);
  // Those on their way are counted whole: some of four that begin at once may have had no room.
  const kept = onDisk() / BODY_BYTES;
  expect(kept).toBeGreaterThan(20);
  expect(bodies.bytes()).toBe(onDisk());

  const again = await openBodies(year, silent, demand);
  sizeBytes += ENTRIES * BODY_BYTES;
  expect(await again.fetch(source, limited(again, 1_000_000_000), running)).toBeUndefined();
  expect([await newest(), again.bytes()]).toEqual([ENTRIES, ENTRIES * BODY_BYTES]);
});
