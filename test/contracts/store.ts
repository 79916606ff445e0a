/** What every store must do, whatever it keeps things in. Run by store.test.ts on each implementation. */
import { ConflictError, type NewCommit, type Store } from '@highwater/collector/store/store.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface StoreUnderTest {
  /** A new, empty store. */
  open(): Promise<Store>;
  /** Closes and opens the same one again, as a restart does. */
  reopen(store: Store): Promise<Store>;
  /** Throws it away. */
  dispose(store: Store): Promise<void>;
}

const frame = (probe: string, n: number, receivedAt = n) => ({
  probe,
  epoch: 0,
  frame: n,
  receivedAt,
  note: `note ${probe} ${n}`,
});
const commit = (n: number, kind: NewCommit['kind'] = 'batch'): NewCommit => ({
  kind,
  at: n,
  note: `leaf ${n}`,
  hash: Buffer.alloc(32, n).toString('base64'),
  ...(kind === 'batch'
    ? { batch: { probe: 'eu-1', epoch: 0, number: n, minutes: { first: n, last: n + 2 } } }
    : { body: `body ${n}` }),
});
const flip = (n: number) => ({
  id: `f${n}`,
  subject: 'rpc/eu',
  at: n,
  from: 'up' as const,
  to: 'down' as const,
  because: 'why',
});

export function storeContract(name: string, subject: StoreUnderTest): void {
  describe(`store contract: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await subject.open();
    });
    afterEach(() => subject.dispose(store));

    it('keeps all of a transaction or nothing', async () => {
      const boom = store.transact('a', async (tx) => {
        await tx.addFrame(frame('eu-1', 1));
        await tx.putState('core', 'key', 0, { n: 1 });
        await tx.addEvent('e', 1, { type: 'x' });
        throw new Error('boom');
      });
      await expect(boom).rejects.toThrow('boom');
      await store.read('a', async (tx) => {
        expect(await tx.lastFramePos()).toBe(0);
        expect(await tx.getState('core', 'key')).toBeUndefined();
        expect(await tx.lastEventSeq()).toBe(0);
      });
      await store.transact('a', (tx) => tx.addFrame(frame('eu-1', 1)));
      expect(await store.read('a', (tx) => tx.framesAfter(0, 10))).toEqual([{ ...frame('eu-1', 1), pos: 1 }]);
    });

    it('runs transactions one after another', async () => {
      const add = () =>
        store.transact('a', async (tx) => {
          const row = await tx.getState('counter', 'n');
          await Promise.resolve();
          await tx.putState('counter', 'n', row?.version ?? 0, Number(row?.value ?? 0) + 1);
        });
      await Promise.all(Array.from({ length: 50 }, add));
      const row = await store.read('a', (tx) => tx.getState('counter', 'n'));
      expect(row).toEqual({ key: 'n', version: 50, value: 50 });
    });

    it('asked for together, each is still all or nothing by itself, in the order asked', async () => {
      const asked = Array.from({ length: 40 }, (_, i) =>
        store.transact(`shard${i % 7}`, async (tx) => {
          await tx.putState('core', `key${i}`, 0, i);
          if (i % 5 === 3) throw new Error(`boom ${i}`);
          return i;
        }),
      );
      const results = await Promise.allSettled(asked);
      for (const [i, result] of results.entries()) {
        const kept = await store.read(`shard${i % 7}`, (tx) => tx.getState('core', `key${i}`));
        if (i % 5 === 3) {
          expect(result).toMatchObject({ status: 'rejected', reason: { message: `boom ${i}` } });
          expect(kept).toBeUndefined();
        } else {
          expect(result).toEqual({ status: 'fulfilled', value: i });
          expect(kept?.value).toBe(i);
        }
      }
    });

    it('refuses to set what has moved on', async () => {
      await store.transact('a', (tx) => tx.putState('core', 'key', 0, 'one'));
      for (const version of [0, 2]) {
        const late = store.transact('a', (tx) => tx.putState('core', 'key', version, 'late'));
        await expect(late).rejects.toThrow(ConflictError);
      }
      expect(await store.transact('a', (tx) => tx.putState('core', 'key', 1, 'two'))).toBe(2);
    });

    it('keeps shards apart', async () => {
      await store.transact('a', async (tx) => {
        await tx.putState('core', 'key', 0, 'a', 5);
        await tx.addFrame(frame('eu-1', 1));
        await tx.addCommit(commit(1));
        await tx.addOutbox('k', 'feed', 1);
        await tx.addFlip(flip(1));
        await tx.initMeta('seed', 'a');
      });
      await store.read('b', async (tx) => {
        expect(await tx.listState('core')).toEqual([]);
        expect(await tx.nextWake()).toBeUndefined();
        expect(await tx.framesAfter(0, 9)).toEqual([]);
        expect(await tx.commitSize()).toBe(0);
        expect(await tx.outboxSize()).toBe(0);
        expect(await tx.flipsAfter(0, 9)).toEqual([]);
        expect(await tx.meta('seed')).toBeUndefined();
      });
      expect(await store.transact('b', (tx) => tx.addCommit(commit(1)))).toBe(0);
    });

    it('wakes what is due, earliest first', async () => {
      await store.transact('a', async (tx) => {
        await tx.putState('x', 'late', 0, null, 30);
        await tx.putState('x', 'soon', 0, null, 10);
        await tx.putState('x', 'never', 0, null);
      });
      await store.read('a', async (tx) => {
        expect(await tx.nextWake()).toBe(10);
        expect(await tx.dueState(30, 9)).toEqual([
          { core: 'x', key: 'soon' },
          { core: 'x', key: 'late' },
        ]);
        expect(await tx.dueState(29, 9)).toHaveLength(1);
      });
      await store.transact('a', (tx) => tx.putState('x', 'soon', 1, null));
      expect(await store.read('a', (tx) => tx.nextWake())).toBe(30);
    });

    it('numbers frames without gaps in order of receipt, and refuses a number twice', async () => {
      for (const [probe, n] of [
        ['eu-1', 7],
        ['us-1', 7],
        ['eu-1', 3],
      ] as const) {
        await store.transact('log', (tx) => tx.addFrame(frame(probe, n)));
      }
      await expect(store.transact('log', (tx) => tx.addFrame(frame('eu-1', 7)))).rejects.toThrow();
      await store.read('log', async (tx) => {
        expect((await tx.framesAfter(1, 9)).map((f) => [f.pos, f.probe, f.frame])).toEqual([
          [2, 'us-1', 7],
          [3, 'eu-1', 3],
        ]);
        expect((await tx.framesOf('eu-1', 0, 0, 9)).map((f) => f.frame)).toEqual([3, 7]);
        expect((await tx.frame('eu-1', 0, 7))?.note).toBe('note eu-1 7');
        expect(await tx.frame('eu-1', 1, 7)).toBeUndefined();
        expect((await tx.framesBetween(4, 9, 1)).map((f) => f.pos)).toEqual([2]);
      });
    });

    it('goes on counting frames after old ones were dropped', async () => {
      for (const n of [1, 2, 3]) await store.transact('log', (tx) => tx.addFrame(frame('eu-1', n)));
      expect(await store.transact('log', (tx) => tx.dropFrames(3, 9, 100))).toBe(2);
      expect(await store.transact('log', (tx) => tx.dropFrames(9, 2, 100))).toBe(0);
      expect(await store.transact('log', (tx) => tx.dropFrames(9, 3, 100))).toBe(1);
      store = await subject.reopen(store);
      expect(await store.transact('log', (tx) => tx.addFrame(frame('eu-1', 4)))).toBe(4);
    });

    it('gives commits one gapless order over all kinds', async () => {
      await store.transact('log', async (tx) => {
        expect(await tx.addCommit(commit(1, 'config'))).toBe(0);
        expect(await tx.addCommit(commit(2))).toBe(1);
      });
      await expect(store.transact('log', (tx) => tx.addCommit(commit(2)))).rejects.toThrow();
      const other = {
        ...commit(9),
        batch: { probe: 'eu-1', epoch: 0, number: 2, minutes: { first: 9, last: 9 } },
      };
      expect(await store.transact('log', (tx) => tx.addCommit(other))).toBe(2);
      store = await subject.reopen(store);
      await store.read('log', async (tx) => {
        expect((await tx.commitsFrom(0, 9)).map((c) => c.index)).toEqual([0, 1, 2]);
        expect((await tx.batches('eu-1', 0, 2)).map((c) => c.note)).toEqual(['leaf 2', 'leaf 9']);
        expect((await tx.batchesSince('eu-1', 0, 1, 9)).map((c) => c.index)).toEqual([1, 2]);
        expect((await tx.batchesSince('eu-1', 0, 1, 1)).map((c) => c.index)).toEqual([1]);
        expect((await tx.leaves()).map((c) => c.index)).toEqual([0]);
        expect(await tx.commitByHash(commit(2).hash)).toMatchObject({ note: 'leaf 2', index: 1 });
        expect((await tx.lastOfKind('config'))?.body).toBe('body 1');
        expect(await tx.lastOfKind('maint')).toBeUndefined();
        expect((await tx.lastBatch('eu-1'))?.index).toBe(1);
        expect(await tx.lastBatch('nobody')).toBeUndefined();
      });
    });

    it('finds the batches of a probe that cover a minute', async () => {
      for (const n of [3, 5, 9]) await store.transact('log', (tx) => tx.addCommit(commit(n)));
      store = await subject.reopen(store);
      await store.read('log', async (tx) => {
        const covering = async (first: number, last: number) =>
          (await tx.batchesCovering('eu-1', first, last)).map(({ note }) => note);
        expect(await covering(5, 5)).toEqual(['leaf 3', 'leaf 5']);
        expect(await covering(7, 8)).toEqual(['leaf 5']);
        expect(await covering(8, 8)).toEqual([]);
        expect(await tx.batchesCovering('us-1', 0, 99)).toEqual([]);
        const within = async (first: number, last: number) =>
          (await tx.batchesWithin(first, last)).map(({ index }) => index);
        expect(await within(5, 5)).toEqual([0, 1]);
        expect(await within(8, 8)).toEqual([]);
        expect(await within(0, 99)).toEqual([0, 1, 2]);
        for (const { index, first } of await tx.batchesWithin(0, 99)) {
          const [row] = await tx.commitsFrom(index, 1);
          expect(commit(Number(row?.note.split(' ')[1])).batch?.minutes.first).toBe(first);
        }
      });
    });

    it('holds the bodies of a batch until they are packed, and says where each is', async () => {
      const hash = Buffer.alloc(32, 200).toString('base64');
      const held = [
        { service: 'a', hash, shown: 'public', text: 'a/b/c 1 ok 1 -\n' },
        {
          service: 'b',
          hash: Buffer.alloc(32, 1).toString('base64'),
          shown: 'salted',
          text: 'b/b/c 1 ok 1 -\n',
        },
      ] as const;
      await store.transact('log', async (tx) => {
        await tx.addBodies(await tx.addCommit(commit(3)), held);
        await tx.addBodies(await tx.addCommit(commit(4)), []);
      });
      const pack = {
        service: 'a',
        day: 0,
        part: 0,
        blob: 'packed/1970-01-01/a.0',
        commits: [0, 7],
        lines: 1,
        bytes: 40,
        bodyBytes: 15,
      };
      store = await subject.reopen(store);
      await store.transact('log', async (tx) => {
        expect(await tx.heldBodies(0)).toEqual(held);
        expect(await tx.heldBodies(1)).toEqual([]);
        expect(await tx.bodyPlaces(hash)).toEqual([{ index: 0, place: 0 }]);
        expect(await tx.heldBefore(1, 9)).toEqual([0, 1]);
        expect(await tx.heldBefore(0, 9)).toEqual([]);
        await tx.addPack(pack);
        await tx.dropBodies([0]);
        expect(await tx.heldBodies(0)).toBeUndefined();
        expect(await tx.heldBefore(1, 9)).toEqual([1]);
        expect(await tx.packs('a', 0)).toEqual([pack]);
        expect(await tx.packsBefore(1, 9)).toEqual([pack]);
        await tx.dropPack('a', 0, 0);
        expect(await tx.packsBefore(1, 9)).toEqual([]);
      });
    });

    it('keeps blocks of views by period and subject', async () => {
      const block = (n: number): Uint8Array => Uint8Array.of(n);
      await store.transact('s', async (tx) => {
        await tx.putBlock('slots', 10, 'rpc', block(1));
        await tx.putBlock('slots', 10, 'rpc', block(2));
        await tx.putBlock('slots', 12, 'rpc', block(3));
        await tx.putBlock('slots', 12, 'web', block(4));
        await tx.putBlock('heads', 11, 'rpc', block(5));
      });
      store = await subject.reopen(store);
      const plain = (rows: readonly { period: number; subject: string; block: Uint8Array }[]) =>
        rows.map((row) => `${row.period} ${row.subject} ${[...row.block].join()}`).sort();
      await store.transact('s', async (tx) => {
        expect([...((await tx.block('slots', 10, 'rpc')) ?? [])]).toEqual([2]);
        expect(await tx.block('slots', 11, 'rpc')).toBeUndefined();
        expect(plain(await tx.blocks('slots', 0, 99))).toEqual(['10 rpc 2', '12 rpc 3', '12 web 4']);
        expect(plain(await tx.blocks('slots', 11, 99, 'rpc'))).toEqual(['12 rpc 3']);
        await tx.putBlock('slots', 12, 'one/of/none', Uint8Array.of(1));
        await tx.dropBlock('slots', 11, 'one/of/none');
        await tx.dropBlock('totals', 12, 'one/of/none');
        await tx.dropBlock('slots', 12, 'never/named');
        expect([...((await tx.block('slots', 12, 'one/of/none')) ?? [])]).toEqual([1]);
        await tx.dropBlock('slots', 12, 'one/of/none');
        expect(await tx.block('slots', 12, 'one/of/none')).toBeUndefined();
        expect(await tx.dropBlocks('slots', 12, 9)).toBe(1);
        expect(await tx.dropBlocks('slots', 13, 1)).toBe(1);
        expect(plain(await tx.blocks('slots', 0, 99))).toHaveLength(1);
        expect(await tx.blocks('heads', 0, 99)).toHaveLength(1);
      });
      expect(await store.read('other', (tx) => tx.blocks('heads', 0, 99))).toEqual([]);
    });

    it('hands flips out in order, once each', async () => {
      await store.transact('s', async (tx) => {
        expect([await tx.addFlip(flip(1)), await tx.addFlip(flip(2))]).toEqual([1, 2]);
      });
      await expect(store.transact('s', (tx) => tx.addFlip(flip(2)))).rejects.toThrow();
      expect(await store.read('s', (tx) => tx.flipsAfter(1, 9))).toEqual([{ ...flip(2), seq: 2 }]);
    });

    it('remembers what is to be done until it is done, and never takes it up again', async () => {
      const add = (key: string) => store.transact('h', (tx) => tx.addOutbox(key, 'feed', { key }));
      expect([await add('a'), await add('b'), await add('a')]).toEqual([true, true, false]);
      await store.transact('h', (tx) => tx.retryOutbox('b'));
      await store.transact('h', (tx) => tx.doneOutbox('a'));
      expect(await add('a')).toBe(false);
      store = await subject.reopen(store);
      expect(await store.read('h', (tx) => tx.outbox(9))).toEqual([
        { key: 'b', kind: 'feed', payload: { key: 'b' }, attempts: 1 },
      ]);
      expect(await store.read('h', (tx) => tx.outboxSize())).toBe(1);
    });

    it('numbers events without gaps, and appends one key once', async () => {
      const add = (key: string) => store.transact('h', (tx) => tx.addEvent(key, 5, { type: key }));
      const seqs = await Promise.all(['a', 'b', 'a', 'c', 'b'].map(add));
      expect(seqs).toEqual([1, 2, 1, 3, 2]);
      expect(await store.read('h', (tx) => tx.eventsAfter(1, 1))).toEqual([
        { seq: 2, at: 5, body: { type: 'b' } },
      ]);
      expect(await store.read('h', (tx) => tx.lastEventSeq())).toBe(3);
    });

    it('refuses a leaf that no entry of the log can hold, by its bytes and not its letters', async () => {
      const add = (note: string) => store.transact('log', (tx) => tx.addCommit({ ...commit(1), note }));
      await expect(add('é'.repeat(32_768))).rejects.toThrow(RangeError);
      expect(await store.read('log', (tx) => tx.commitSize())).toBe(0);
      expect(await add(`${'é'.repeat(32_767)}x`)).toBe(0);
    });

    it('keeps what was signed of each year, in order, and never two of one size', async () => {
      const signed = (year: number, size: number, root = size) => ({
        year,
        size,
        root: Buffer.alloc(32, root).toString('base64'),
        at: size,
        note: `checkpoint ${year} ${size}`,
      });
      const add = (after: number, row: ReturnType<typeof signed>) =>
        store.transact('log', (tx) => tx.addCheckpoint(after, row));
      expect(await store.read('log', (tx) => tx.lastCheckpoint(2026))).toBeUndefined();
      await add(0, signed(2026, 3));
      await add(3, signed(2026, 300));
      await add(0, signed(2027, 1));
      // Of two that read the same last one, the second loses; none is of a size that was signed, or of a smaller one.
      await expect(add(3, signed(2026, 400))).rejects.toThrow(ConflictError);
      await expect(add(0, signed(2026, 400))).rejects.toThrow(ConflictError);
      await expect(add(300, signed(2026, 300, 9))).rejects.toThrow(ConflictError);
      await expect(add(300, signed(2026, 200))).rejects.toThrow(ConflictError);
      await expect(add(0, signed(2028, 0))).rejects.toThrow(ConflictError);
      store = await subject.reopen(store);
      await store.read('log', async (tx) => {
        expect(await tx.lastCheckpoint(2026)).toEqual(signed(2026, 300));
        expect(await tx.lastCheckpoint(2027)).toEqual(signed(2027, 1));
        expect(await tx.lastCheckpoint(2028)).toBeUndefined();
        expect(await tx.checkpointAt(2026, 3)).toEqual(signed(2026, 3));
        expect(await tx.checkpointAt(2026, 300)).toEqual(signed(2026, 300));
        for (const size of [0, 1, 299, 400]) expect(await tx.checkpointAt(2026, size)).toBeUndefined();
        for (const [size, found] of [
          [3, 3],
          [299, 3],
          [300, 300],
          [400, 300],
        ] as const) {
          expect(await tx.checkpointUpTo(2026, size)).toEqual(signed(2026, found));
        }
        expect(await tx.checkpointUpTo(2026, 2)).toBeUndefined();
        expect(await tx.checkpointUpTo(2025, 400)).toBeUndefined();
      });
      expect(await store.read('other', (tx) => tx.lastCheckpoint(2026))).toBeUndefined();
    });

    it('adds one checkpoint when many are added at once', async () => {
      const row = (size: number) => ({
        year: 2026,
        size,
        root: Buffer.alloc(32).toString('base64'),
        at: 1,
        note: 'n',
      });
      const adding = [1, 2, 3, 4, 5].map((size) =>
        store.transact('log', (tx) => tx.addCheckpoint(0, row(size))),
      );
      const ends = await Promise.allSettled(adding);
      expect(ends.filter((end) => end.status === 'fulfilled')).toHaveLength(1);
      expect((await store.read('log', (tx) => tx.lastCheckpoint(2026)))?.size).toBe(1);
    });

    it('writes a value of the installation once', async () => {
      const init = (value: string) => store.transact('h', (tx) => tx.initMeta('seed', value));
      expect([await init('one'), await init('two')]).toEqual(['one', 'one']);
      store = await subject.reopen(store);
      expect(await store.read('h', (tx) => tx.meta('seed'))).toBe('one');
    });

    it('shows a reader the last commit while a transaction is open', async () => {
      await store.transact('a', (tx) => tx.putState('c', 'k', 0, 'before'));
      const opened = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      const writing = store.transact('a', async (tx) => {
        await tx.putState('c', 'k', 1, 'after');
        opened.resolve();
        await release.promise;
      });
      await opened.promise;
      const during = await store.read('a', (tx) => tx.getState('c', 'k'));
      release.resolve();
      await writing;
      const after = await store.read('a', (tx) => tx.getState('c', 'k'));
      expect([during?.value, after?.value]).toEqual(['before', 'after']);
    });
  });
}
