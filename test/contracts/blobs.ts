/** What every blob store must do, whatever it keeps things in. Run by blobs.test.ts on each implementation. */
import { BlobConflictError, type Blobs } from '@highwater/collector/store/blobs/blobs.ts';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface BlobsUnderTest {
  /** A new, empty one. */
  open(): Promise<Blobs>;
  /** Opens the same one again, as a restart does. */
  reopen(): Promise<Blobs>;
  /** Throws it away. */
  dispose(): Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = async (blobs: Blobs, name: string): Promise<string | undefined> => {
  const found = await blobs.get(name);
  return found === undefined ? undefined : Buffer.from(found).toString();
};

/** Names that are in use: bodies by their hash, and files of the log. */
const flat = 'abcd1234';
const deep = 'log/2026/tile/0/x001/x234/067.p/8';

export function blobsContract(name: string, subject: BlobsUnderTest): void {
  describe(`blobs: ${name}`, () => {
    let blobs: Blobs;
    beforeEach(async () => {
      blobs = await subject.open();
    });
    afterEach(() => subject.dispose());

    it.each([flat, deep, 'log/2026/checkpoint', 'private.00ff', 'a'.repeat(128), `abc/${'z'.repeat(64)}/0`])(
      'gives back what was put as %j, whole and in part, and after a restart',
      async (key) => {
        await blobs.putIfAbsent(key, bytes('hello world'));
        expect(await textOf(blobs, key)).toBe('hello world');
        blobs = await subject.reopen();
        expect(await textOf(blobs, key)).toBe('hello world');
        expect(Buffer.from((await blobs.range(key, 6, 99)) ?? []).toString()).toBe('world');
        expect(Buffer.from((await blobs.range(key, 0, 5)) ?? []).toString()).toBe('hello');
      },
    );

    it.each([flat, deep])('takes %j again, many at once too, and refuses other bytes', async (key) => {
      await Promise.all(Array.from({ length: 8 }, () => blobs.putIfAbsent(key, bytes('x'))));
      const other = blobs.putIfAbsent(key, bytes('y'));
      await expect(other).rejects.toThrow(BlobConflictError);
      await expect(other).rejects.toMatchObject({ blob: key });
      await blobs.putIfAbsent(key, bytes('x'));
      expect(await textOf(await subject.reopen(), key)).toBe('x');
    });

    it('says undefined for what is not there, or lies above or below what is', async () => {
      await blobs.putIfAbsent('log/2026/checkpoint', bytes('x'));
      for (const key of ['abcd9999', deep, 'log/2026', 'log/2026/checkpoint/0']) {
        expect(await blobs.get(key)).toBeUndefined();
        expect(await blobs.range(key, 0, 1)).toBeUndefined();
      }
    });

    it('replaces, from nothing too, and shows whoever reads meanwhile one of both, whole', async () => {
      const key = 'log/2026/checkpoint';
      const [old, young] = ['old '.repeat(20_000), 'young '.repeat(30_000)];
      await blobs.replace(key, bytes(old));
      let done = false;
      const replacing = blobs.replace(key, bytes(young)).finally(() => {
        done = true;
      });
      while (!done) expect([old, young]).toContain(await textOf(blobs, key));
      await replacing;
      expect(await textOf(await subject.reopen(), key)).toBe(young);
    });

    it('removes one name, and what is absent', async () => {
      await blobs.putIfAbsent('log/2026/tile/0/000.p/1', bytes('x'));
      await blobs.putIfAbsent('log/2026/tile/0/000.p/2', bytes('y'));
      await blobs.remove('log/2026/tile/0/000.p/1');
      await blobs.remove('log/2026/tile/0/000.p/1');
      expect(await blobs.get('log/2026/tile/0/000.p/1')).toBeUndefined();
      expect(await textOf(blobs, 'log/2026/tile/0/000.p/2')).toBe('y');
    });

    it('removes all under a name, and nothing beside it, and takes new ones there', async () => {
      const under = ['log/2026/tile/0/000.p/1', 'log/2026/tile/0/000.p/255'];
      const beside = ['log/2026/tile/0/000', 'log/2026/tile/0/001.p/1', 'log/2026/tile/1/000.p/1'];
      for (const key of [...under, ...beside]) await blobs.putIfAbsent(key, bytes(key));
      await blobs.removeUnder('log/2026/tile/0/000.p');
      await blobs.removeUnder('log/2026/tile/0/000.p');
      for (const key of under) expect(await blobs.get(key)).toBeUndefined();
      for (const key of beside) expect(await textOf(blobs, key)).toBe(key);
      await blobs.putIfAbsent(under[0] ?? '', bytes('again'));
      expect(await textOf(await subject.reopen(), under[0] ?? '')).toBe('again');
    });

    it.each([
      '../escape', 'a/b', 'ab/cdef', '', 'abc', 'ABCD', '.hidden', 'log/', '/log/x', 'log//x', 'log/../x', 'log/.x', 'log/./x',
      'log/X', 'log/x y', 'log/a/b/c/d/e/f/g/h', `log/${'z'.repeat(65)}`, 'a'.repeat(129), 'log\\x', 'log/\u0000', 'log/ü',
    ])('refuses the name %j', async (key) => {
      await expect(blobs.putIfAbsent(key, bytes('x'))).rejects.toThrow(/not a blob name/);
      await expect(blobs.replace(key, bytes('x'))).rejects.toThrow(/not a blob name/);
      await expect(blobs.get(key)).rejects.toThrow(/not a blob name/);
      await expect(blobs.remove(key)).rejects.toThrow(/not a blob name/);
      await expect(blobs.removeUnder(key)).rejects.toThrow(/not a (blob name|path of blobs)/);
    }); // prettier-ignore

    it('keeps names apart whatever they are', async () => {
      const segment = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,5}$/);
      const path = fc
        .tuple(
          fc.stringMatching(/^[a-z0-9][a-z0-9._-]{2,5}$/),
          fc.array(segment, { minLength: 1, maxLength: 7 }),
        )
        .map(([first, more]) => [first, ...more].join('/'));
      const name = fc.oneof(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{3,10}$/), path);
      // A name that is another one's folder can't be kept beside it; the log and the bodies have none such.
      const apart = (names: string[]) => !names.some((a) => names.some((b) => b.startsWith(`${a}/`)));
      const lists = fc.uniqueArray(name, { minLength: 2, maxLength: 5 }).filter(apart);
      await fc.assert(
        fc.asyncProperty(lists, async (names) => {
          await subject.dispose();
          blobs = await subject.open();
          for (const key of names) await blobs.putIfAbsent(key, bytes(key));
          for (const key of names) expect(await textOf(blobs, key)).toBe(key);
        }),
        { numRuns: 20 },
      );
    });
  });
}
