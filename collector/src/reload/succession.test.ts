import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config, Service } from '@highwater/config/model.ts';
import { pino } from 'pino';
import type { Declared } from '../generation.ts';
import { openDoor } from '../http/door.ts';
import { type Lasting, openLasting } from '../lasting.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { CommitRow, Store, Tx } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { LOG_SHARD } from '../watched.ts';
import { declare, prepare, type Prepared } from './declare.ts';
import { openSuccession, type Succession } from './succession.ts';

const { config: first } = testHouse();
const second: Config = { ...first, controls: ['https://www.example.org'] };
const third: Config = {
  ...first,
  services: first.services.map((service): Service => ({ ...service, minUp: 2 })),
};
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const log = pino({ level: 'silent' });

let dataDir: string;
let store: Store;
/** What happens in the store, and what is to fail there. */
let told: string[];
let failing: (what: string) => boolean;

/** Tells of the writes that matter here, and fails where a test says so. */
function watched(inner: Store): Store {
  const tell = (what: string): void => {
    told.push(what);
    if (failing(what)) throw new Error(`no ${what}`);
  };
  return {
    read: (shard, work) => {
      if (shard !== LOG_SHARD) tell(`read ${shard}`);
      return inner.read(shard, work);
    },
    transact: (shard, work) =>
      inner.transact(shard, (tx) => {
        const spied: Tx = new Proxy(tx, {
          get(target, name) {
            const own = Reflect.get(target, name) as unknown;
            if (typeof own !== 'function') return own;
            return (...given: unknown[]): unknown => {
              if (name === 'addCommit') tell(`leaf ${(given[0] as CommitRow).kind}`);
              if (name === 'putState' && given[0] === 'assignment') tell('assignment');
              return Reflect.apply(own, target, given) as unknown;
            };
          },
        });
        return work(spied);
      }),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

const open = (): Promise<Lasting> => openLasting({ dataDir, origin: first.origin, store, clock, log });

async function declared(lasting: Lasting, config: Config): Promise<Prepared & Declared> {
  const prepared = prepare(lasting, config);
  return { ...prepared, ...(await declare(lasting, prepared)) };
}

const configLeaves = async (): Promise<readonly (string | undefined)[]> => {
  const leaves = await store.read(LOG_SHARD, (tx) => tx.leaves());
  return leaves.filter(({ kind }) => kind === 'config').map(({ body }) => body);
};
const projected = (lasting: Lasting, config: Config): string => prepare(lasting, config).projection;

let succession: Succession | undefined;
beforeEach(() => {
  dataDir = newDataDir();
  told = [];
  failing = () => false;
  store = watched(openSqliteStore(dataDir));
});
afterEach(async () => {
  await succession?.end();
  succession = undefined;
  await store[Symbol.asyncDispose]();
  dropDataDir(dataDir);
});

describe('what follows when', () => {
  it('is the leaf, then what is read for the new generation, then the assignments', async () => {
    const lasting = await open();
    succession = await openSuccession(lasting, openDoor(), await declared(lasting, first));
    told = [];
    await succession.handOver(await declared(lasting, second));
    const [leaf, read, assignment] = [
      told.indexOf('leaf config'),
      told.findIndex((what) => what.startsWith('read chain:')),
      told.indexOf('assignment'),
    ];
    expect(leaf).toBeGreaterThanOrEqual(0);
    expect(read).toBeGreaterThan(leaf);
    expect(assignment).toBeGreaterThan(read);
  });
});

describe('one that can not take over', () => {
  it.each(['read chain:devnet', 'assignment'])(
    '(%s fails) leaves the one before in charge, with a leaf of its own',
    async (what) => {
      const lasting = await open();
      const door = openDoor();
      succession = await openSuccession(lasting, door, await declared(lasting, first));
      succession.start();
      const next = await declared(lasting, second);
      let failures = 0;
      failing = (done) => done === what && failures++ === 0;
      // The old one rests first: what is read then is the new one's.
      await expect(succession.handOver(next)).rejects.toThrow(`no ${what}`);
      expect(succession.current.watched.config).toBe(first);
      expect(await configLeaves()).toEqual(
        [first, second, first].map((config) => projected(lasting, config)),
      );
      expect(door.routes().some(({ path }) => path === '/v1/frames')).toBe(true);
      // And the next one can.
      await succession.handOver(await declared(lasting, third));
      expect(succession.current.watched.config).toBe(third);
    },
  );

  it('tells when neither can run', async () => {
    const lasting = await open();
    succession = await openSuccession(lasting, openDoor(), await declared(lasting, first));
    const next = await declared(lasting, second);
    failing = (what) => what === 'read chain:devnet';
    await expect(succession.handOver(next)).rejects.toThrow('no read');
    await expect(succession.broken).rejects.toThrow('no read');
  });
});

describe('a kill between the leaf and the new generation', () => {
  it('with the new file in place goes on with the new one, under the same leaf', async () => {
    const lasting = await open();
    succession = await openSuccession(lasting, openDoor(), await declared(lasting, first));
    const { configHash } = await declared(lasting, second);
    await succession.end();
    await store[Symbol.asyncDispose]();

    store = watched(openSqliteStore(dataDir));
    const again = await open();
    succession = await openSuccession(again, openDoor(), await declared(again, second));
    expect(succession.current.configHash).toBe(configHash);
    expect(await configLeaves()).toHaveLength(2);
    const assigned = await store.read(LOG_SHARD, (tx) => tx.getState('assignment', 'eu-1'));
    expect(assigned?.value).toMatchObject({ number: 2 });
    expect((assigned?.value as { note: string }).note).toContain(configHash);
  });

  it('with the old file goes on with the old one, under a leaf of its own', async () => {
    const lasting = await open();
    succession = await openSuccession(lasting, openDoor(), await declared(lasting, first));
    const before = succession.current.configHash;
    await declared(lasting, second);
    await succession.end();
    await store[Symbol.asyncDispose]();

    store = watched(openSqliteStore(dataDir));
    const again = await open();
    succession = await openSuccession(again, openDoor(), await declared(again, first));
    expect(await configLeaves()).toEqual([first, second, first].map((config) => projected(again, config)));
    const last = await store.read(LOG_SHARD, (tx) => tx.lastOfKind('config'));
    expect(last?.hash).toBe(succession.current.configHash);
    // Declared twice within a minute, and still two leaves.
    expect(last?.hash).not.toBe(before);
  });
});
