/** What stops the signing, what does not, and what ends the stop. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { generateSigningKey, loadSigningKey, saveSigningKey } from '@highwater/config/keys.ts';
import { utf8 } from '@highwater/config/proof/bytes.ts';
import { formatCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskFullError } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { keyFileOf } from './keys.ts';
import type { Log } from './log.ts';
import { type Bench, bench, filesOf, mergeAll, newYear, noteOf, ORIGIN, rootOf } from './testing.ts';

let house: Bench;
let log: Log;
beforeEach(async () => {
  house = await bench();
  await house.commit(300);
  log = await house.open();
  await mergeAll(log);
  await house.commit(1);
});
afterEach(() => house.close());

const ZERO = Buffer.alloc(32).toString('base64');
const signedBy = (
  key: ReturnType<typeof generateSigningKey>,
  size: number,
  root = ZERO,
  origin = key.name,
): string => key.sign(formatCheckpointText({ origin, size, root }));
const logKey = (year = 2026) => loadSigningKey(keyFileOf(house.keysDir, year));
const last = () => house.store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(2026));
const checkpoint = (): string => Buffer.from(house.files.get('log/2026/checkpoint') ?? []).toString();

/** Nothing is signed; because of `found`, with a remedy. The alarm is told once. */
async function expectRefused(found: RegExp, remedy = /highwater restore/): Promise<void> {
  const before = [(await last())?.size, checkpoint()];
  expect(await log.beat()).toBe(false);
  expect(await log.beat()).toBe(false);
  expect([(await last())?.size, checkpoint()]).toEqual(before);
  const { refused, pending } = log.status();
  expect(refused?.because).toMatch(found);
  expect(refused?.remedy).toMatch(remedy);
  expect(pending).toBeGreaterThan(0);
  expect(house.alarms).toHaveLength(1);
  expect(house.alarms[0]).toMatchObject({ key: 'log.refused', because: refused?.because });
}

/** It goes on by itself, and says that the alarm is over. */
async function expectSignsAgain(): Promise<void> {
  const cleared = house.clearedKeys.length;
  expect(await mergeAll(log)).toBeGreaterThan(0);
  expect(log.status()).toMatchObject({
    size: 301,
    pending: 0,
    root: rootOf(Array.from({ length: 301 }, (_, i) => noteOf(i))),
  });
  expect(log.status().refused).toBeUndefined();
  expect(house.clearedKeys.slice(cleared)).toEqual(['log.refused']);
}

describe('it refuses to sign where', () => {
  it('the published checkpoint is of another history, and goes on when it is the right one again', async () => {
    const good = house.files.get('log/2026/checkpoint') ?? new Uint8Array();
    house.files.set('log/2026/checkpoint', utf8(signedBy(logKey(), 400)));
    await expectRefused(/published checkpoint .* 400 entries .* did not sign: it signed 300 entries/);
    house.files.set('log/2026/checkpoint', good);
    await expectSignsAgain();
  });

  it.each([
    ['nothing that is a checkpoint', () => 'no note'],
    ['what another key signed', () => signedBy(generateSigningKey(`${ORIGIN}/2026`), 300)],
    ['a changed root', () => checkpoint().replace(/\n300\n.{4}/, '\n300\nAAAA')],
  ])('the published checkpoint is %s', async (_, text) => {
    house.files.set('log/2026/checkpoint', utf8(text()));
    await expectRefused(/published checkpoint .* is none of this log/);
  });

  it.each(['tile/0/001.p/44', 'tile/entries/001.p/44', 'tile/1/000.p/1'])(
    '%s holds other bytes, and goes on when it is as it was',
    async (path) => {
      const name = `log/2026/${path}`;
      const good = house.files.get(name) ?? new Uint8Array();
      const bad = Uint8Array.from(good);
      bad[20] = (bad[20] ?? 0) ^ 1;
      house.files.set(name, bad);
      await expectRefused(new RegExp(path.replaceAll('.', '\\.')), /disk/);
      house.files.set(name, good);
      await expectSignsAgain();
    },
  );

  it('a file that it is about to write is there with other bytes', async () => {
    house.files.set('log/2026/tile/0/001.p/45', utf8('something'));
    await expectRefused(/log\/2026\/tile\/0\/001\.p\/45 holds other bytes/, /disk/);
    house.files.delete('log/2026/tile/0/001.p/45');
    await expectSignsAgain();
  });

  it('what was written is not what is read back', async () => {
    const { blobs } = house;
    log = await house.open({
      blobs: {
        ...blobs,
        async putIfAbsent(name, bytes) {
          const torn = Uint8Array.from(bytes);
          if (name.endsWith('tile/entries/001.p/45')) torn[9] = (torn[9] ?? 0) ^ 1;
          await blobs.putIfAbsent(name, torn);
        },
      },
    });
    await expectRefused(/tile\/0\/001\.p\/45 is not of the entries in .*tile\/entries\/001\.p\/45/, /disk/);
  });

  it('a commit in the store is no longer what was acknowledged', async () => {
    await house.store.transact(LOG_SHARD, (tx) =>
      tx.addCommit({ kind: 'probe', at: house.now, note: 'changed', hash: ZERO }),
    );
    await expectRefused(/commit 301 in the store is not what was acknowledged/);
  });

  it('the key is gone, and goes on when it is back', async () => {
    const path = keyFileOf(house.keysDir, 2026);
    renameSync(path, `${path}.away`);
    await expectRefused(
      /key of the log of 2026 is gone .* has checkpoints that it signed/,
      /put .* back from a backup/,
    );
    expect(existsSync(path)).toBe(false);
    renameSync(`${path}.away`, path);
    await expectSignsAgain();
  });

  it('the key is another one', async () => {
    const path = keyFileOf(house.keysDir, 2026);
    rmSync(path);
    saveSigningKey(path, generateSigningKey(`${ORIGIN}/2026`));
    await expectRefused(/is not the key that this store began the log of 2026 with/);
  });

  it('the key of a new year is there, and this store never began it', async () => {
    await mergeAll(log);
    house.now = newYear(2027);
    await house.commit(1);
    saveSigningKey(keyFileOf(house.keysDir, 2027), generateSigningKey(`${ORIGIN}/2027`));
    await expectRefused(/key of the log of 2027 is there .* never began that log/);
    expect(house.files.has('log/2027/checkpoint')).toBe(false);
  });
});

describe('a lost store', () => {
  it('is not begun anew under the old key', async () => {
    await house.restart('lost');
    await house.commit(3);
    log = await house.open();
    await log.ready();
    expect(log.keys).toEqual([]);
    expect(await log.beat()).toBe(false);
    expect(log.status().refused?.because).toMatch(/never began that log: the store was lost/);
    expect(await last()).toBeUndefined();
  });
});

describe('a checkpoint that somebody shows', () => {
  it('stops the signing for good when our key signed it and this store did not', async () => {
    await log.shown(signedBy(logKey(), 400), 'probe eu-1');
    expect(log.status().refused?.because).toMatch(
      /probe eu-1 shows a checkpoint of test.example\/log\/2026 of 400 entries/,
    );
    await expectRefused(/it signed 300 entries/);
    // It stays true after a restart, although nobody shows it again.
    await house.restart();
    house.alarms.length = 0;
    log = await house.open();
    await expectRefused(/probe eu-1 shows/);
  });

  it('stops it too when it is of a size that was signed, with another root, or of one in between', async () => {
    await log.shown(signedBy(logKey(), 300), 'the page x');
    await expectRefused(/and at 300 the root/);
  });

  it('is looked at again right before the signing', async () => {
    const { blobs } = house;
    const bad = signedBy(logKey(), 301);
    log = await house.open({
      blobs: {
        ...blobs,
        async putIfAbsent(name, bytes) {
          await blobs.putIfAbsent(name, bytes);
          await log.shown(bad, 'probe eu-1');
        },
      },
    });
    await expectRefused(/probe eu-1/);
  });

  it.each([
    ['the newest', () => checkpoint()],
    ['the newest, with the lines of others', () => `${checkpoint()}— other AAAAAAAA\n`],
    ['one by another key of the same name', () => signedBy(generateSigningKey(`${ORIGIN}/2026`), 400)],
    ['a forged one', () => signedBy(logKey(), 400).replace('\n400\n', '\n401\n')],
    ['one of another log', () => signedBy(generateSigningKey('other.example/log/2026'), 400)],
    ['one of another origin by our key', () => signedBy(logKey(), 400, ZERO, 'other.example/log/2026')],
    ['one of a year without a log', () => signedBy(generateSigningKey(`${ORIGIN}/2025`), 400)],
    ['the empty tree', () => signedBy(logKey(), 0)],
    ['a text that is none', () => 'x'],
    ['a note that is none', () => logKey().sign('hello\n')],
    ['something large', () => signedBy(logKey(), 400) + `— other ${'A'.repeat(40_000)}\n`],
  ])('does nothing when it is %s', async (_, text) => {
    for (let i = 0; i < 3; i += 1) await log.shown(text(), 'probe eu-1');
    await expectMerges();
  });

  it('costs few verifications, whatever is shown', async () => {
    const forged = signedBy(logKey(), 400);
    for (let size = 401; size < 1_500; size += 1)
      await log.shown(forged.replace('\n400\n', `\n${size}\n`), 'probe eu-1');
    await expectMerges();
  });

  it('is looked at, whatever another one shows at the time', async () => {
    const forged = signedBy(logKey(), 400);
    const flood = Array.from({ length: 200 }, (_, i) =>
      log.shown(forged.replace('\n400\n', `\n${401 + i}\n`), 'probe stolen'),
    );
    await Promise.all([...flood, log.shown(forged, 'probe honest')]);
    await expectRefused(/probe honest shows a checkpoint .* of 400 entries/);
  });

  async function expectMerges(): Promise<void> {
    expect(await log.beat()).toBe(true);
    expect(log.status()).toMatchObject({ size: 301, pending: 0 });
    expect(house.alarms).toEqual([]);
  }
});

describe('a witness', () => {
  it('that knows more stops the signing, one that knows as much or less does not', async () => {
    await log.ahead('witness a', 300, 2026);
    await log.ahead('witness a', 5, 2026);
    expect(log.status().refused).toBeUndefined();
    await log.ahead('witness a', 302, 2026);
    await expectRefused(/witness a knows 302 entries of test.example\/log\/2026, and this store signed 300/);
  });

  it.each([
    ['that is level by now', () => log.level('witness a', 2026)],
    ['that names a size that we have', () => log.ahead('witness a', 300, 2026)],
    ['that left the configuration', () => log.heedOnly(['witness b'])],
  ])('%s stops nothing any more', async (_, change) => {
    await log.ahead('witness a', 302, 2026);
    log.level('witness b', 2026);
    log.level('witness a', 2025);
    log.heedOnly(['witness a', 'witness b']);
    await expectRefused(/witness a knows 302/);
    await Promise.resolve(change());
    await expectSignsAgain();
  });

  it('is one of two that know more: the other still stops it', async () => {
    await log.ahead('witness a', 302, 2026);
    await log.ahead('witness b', 303, 2026);
    log.level('witness a', 2026);
    expect(await log.beat()).toBe(false);
    expect(log.status().refused?.because).toMatch(/witness b knows 303/);
  });
});

describe('cosignatures', () => {
  const lines = () =>
    log.checkpoint(2026).then((note) => note?.split('\n').filter((line) => line.startsWith('— ')) ?? []);
  const line = (name: string, text = 'AAAAAAAA') => `— ${name} ${text}`;

  it('are published with the checkpoint that they are of, once each, and not with the next', async () => {
    await log.cosigned(2026, 300, [line('a'), line('b')]);
    await log.cosigned(2026, 300, [line('b', 'AAAAAAAB')]);
    await log.cosigned(2026, 299, [line('c')]);
    await log.cosigned(2027, 300, [line('c')]);
    const [own, ...others] = await lines();
    expect(own).toMatch(/^— test\.example\/log\/2026 /);
    expect(others).toEqual([line('a'), line('b', 'AAAAAAAB')]);
    await expect(log.cosigned(2026, 300, ['x'])).rejects.toThrow(/no signature lines/);
    // They are no reason to publish again, nor to refuse.
    log = await house.open();
    await log.beat();
    expect((await lines()).length).toBe(1);
    expect(log.status()).toMatchObject({ size: 301 });
  });

  it("do not take the place of the log's own signature", async () => {
    const [own = ''] = await lines();
    const [, name = '', text = ''] = own.split(' ');
    await log.cosigned(2026, 300, [line(name, `${text.slice(0, 8)}${'A'.repeat(text.length - 10)}==`)]);
    expect(await lines()).toEqual([own]);
  });
});

describe('what is no refusal', () => {
  it('a full disk: it is tried again, and nothing is lost', async () => {
    const { blobs } = house;
    let full = true;
    const demandRoom = async (): Promise<void> => {
      if (full) throw new DiskFullError('the disk that holds the bodies is full');
    };
    log = await house.open({
      blobs: {
        ...blobs,
        putIfAbsent: (name, bytes) => demandRoom().then(() => blobs.putIfAbsent(name, bytes)),
        replace: (name, bytes) => demandRoom().then(() => blobs.replace(name, bytes)),
      },
    });
    await expect(log.beat()).rejects.toThrow(DiskFullError);
    expect(log.status().refused).toBeUndefined();
    full = false;
    expect(await log.beat()).toBe(true);
    expect(log.status()).toMatchObject({ size: 301, pending: 0 });
  });

  it('lost tiles: they are made again from the store', async () => {
    for (const path of [...house.files.keys()]) if (path.includes('/tile/')) house.files.delete(path);
    expect(await log.beat()).toBe(true);
    const notes = Array.from({ length: 301 }, (_, i) => noteOf(i));
    expect(log.status()).toMatchObject({ size: 301, root: rootOf(notes) });
    for (const [path, bytes] of filesOf(notes)) {
      expect(Buffer.compare(house.files.get(`log/2026/${path}`) ?? Buffer.of(), bytes), path).toBe(0);
    }
    expect(house.alarms).toEqual([]);
  });

  it('a lost published checkpoint: the last one is published again', async () => {
    const before = checkpoint();
    await mergeAll(log);
    const now = checkpoint();
    house.files.delete('log/2026/checkpoint');
    expect(await log.beat()).toBe(true);
    expect(checkpoint()).toBe(now);
    // An older one is what a crash leaves between keeping and publishing.
    house.files.set('log/2026/checkpoint', utf8(before));
    expect(await log.beat()).toBe(true);
    expect(checkpoint()).toBe(now);
  });
});

it('an alarm that a merge raised is cleared by a merge alone', async () => {
  const next = 'log/2026/tile/entries/001.p/45';
  house.files.set(next, utf8('of somebody else'));
  await log.beat();
  expect(house.alarms).toHaveLength(1);
  const cleared = house.clearedKeys.length;
  await log.ready();
  expect([house.clearedKeys.length, log.status().refused === undefined]).toEqual([cleared, false]);
  house.files.delete(next);
  await log.beat();
  expect([house.clearedKeys.length, log.status().refused]).toEqual([cleared + 1, undefined]);
});
