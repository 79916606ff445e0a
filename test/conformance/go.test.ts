/** Roots, tiles, proofs and notes against golang.org/x/mod, an implementation that shares nothing with this one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCheckpoint, openSignedBy, parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { decodeUtf8, encodeBase64, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import { buildTiles, growFiles } from '@highwater/config/proof/testing/tree.ts';
import { type Tile, tilePath, tilesAt, tilesBetween } from '@highwater/config/proof/tiles.ts';
import {
  consistencyProof,
  inclusionProof,
  rootAt,
  rootOfLeaves,
  verifyConsistency,
} from '@highwater/config/proof/tree.ts';
import { GO_PACKAGES, buildGoChecker, isGoMissing } from './go-checker.ts';
import { logKey, probe, stranger, twoYears } from './published.ts';

const isMissing = isGoMissing();
const folder = mkdtempSync(join(tmpdir(), 'highwater-go-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sizes = [1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000];
const largest = 70_000;

describe.skipIf(isMissing)(`as Go says (skipped without ${GO_PACKAGES})`, () => {
  let ask: ReturnType<typeof buildGoChecker>;
  let leaves: Uint8Array[] = [];
  let tilesOf: ReturnType<typeof buildTiles>;
  beforeAll(() => {
    ask = buildGoChecker(folder);
    leaves = Array.from({ length: largest }, (_, i) => leafHash(utf8(`entry ${i}`), sha256));
    tilesOf = buildTiles(leaves);
  });
  const askOfTree = (commands: readonly string[]): string[] => ask([`grow ${largest}`, ...commands]).slice(1);
  const proofText = (proof: readonly Uint8Array[]): string => proof.map(encodeBase64).join(' ');

  test('roots, from tiles and by the second path', () => {
    const theirs = askOfTree(sizes.map((size) => `root ${size}`));
    const ours = sizes.map((size) => encodeBase64(rootAt(size, tilesOf(size), sha256)));
    expect(ours).toEqual(theirs);
    expect(sizes.map((size) => encodeBase64(rootOfLeaves(leaves.slice(0, size), sha256)))).toEqual(theirs);
  });

  test('every tile of every size, by path and bytes', () => {
    const theirs = askOfTree(sizes.map((size) => `tiles 0 ${size}`));
    for (const [i, size] of sizes.entries()) {
      const digest = (tile: Tile): string => encodeHex(sha256(tilesOf(size)(tile)));
      const ours = [...tilesAt(size)].map((tile) => `${tilePath(tile)}=${digest(tile)}`);
      expect(ours.join(' ')).toBe(theirs[i]);
    }
  });

  test('which tiles a growth writes, and their bytes whatever its steps', () => {
    const steps = [0, 1, 3, 255, 256, 300, 511, 513, 40_000, 65_535, 65_536, 65_537, 70_000];
    const pairs = steps.slice(1).map((size, i) => [steps[i] ?? 0, size] as const);
    const theirs = askOfTree(pairs.map(([from, to]) => `tiles ${from} ${to}`));
    const files = growFiles(leaves, steps.slice(1));
    for (const [i, [from, to]] of pairs.entries()) {
      const digest = (tile: Tile): string => encodeHex(sha256(files.get(tilePath(tile)) ?? new Uint8Array()));
      const ours = tilesBetween(from, to).map((tile) => `${tilePath(tile)}=${digest(tile)}`);
      // Go also names the partial tiles that did not grow.
      const there = new Set([...tilesAt(from)].map(tilePath));
      const news = theirs[i]?.split(' ').filter((each) => !there.has(each.slice(0, each.indexOf('='))));
      expect(ours).toEqual(news);
    }
    // In one step: the same full tiles, and the same partial ones of this size.
    const once = growFiles(leaves, [largest]);
    for (const [path, bytes] of once)
      expect(sha256(files.get(path) ?? new Uint8Array())).toEqual(sha256(bytes));
  });

  test('inclusion proofs of chosen and random entries', () => {
    const random = fc.sample(fc.nat(largest - 1), { numRuns: 20, seed: 5 });
    const claims = sizes.flatMap((size) => {
      const indexes = [0, 1, 254, 255, 256, 257, 511, 512, 65_535, 65_536, size - 2, size - 1, ...random];
      const inTree = indexes
        .map((index) => (index >= largest ? 0 : index))
        .filter((index) => index >= 0 && index < size);
      return [...new Set(inTree)].map((index) => ({ index, size }));
    });
    const theirs = askOfTree(claims.map(({ index, size }) => `inclusion ${index} ${size}`));
    const ours = claims.map(({ index, size }) =>
      proofText(inclusionProof(index, size, tilesOf(size), sha256)),
    );
    expect(ours).toEqual(theirs);
  });

  test('consistency proofs between all sizes', () => {
    const pairs = sizes.flatMap((oldSize) =>
      sizes.filter((size) => size >= oldSize).map((size) => [oldSize, size] as const),
    );
    const theirs = askOfTree(pairs.map(([oldSize, newSize]) => `consistency ${oldSize} ${newSize}`));
    for (const [i, [oldSize, newSize]] of pairs.entries()) {
      const proof = consistencyProof(oldSize, newSize, tilesOf(newSize), sha256);
      expect(proofText(proof)).toBe(theirs[i]);
      const [oldRoot, newRoot] = [oldSize, newSize].map((size) => rootAt(size, tilesOf(size), sha256));
      if (!oldRoot || !newRoot) throw new Error('no roots');
      expect(verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof }, sha256)).toBe(true);
    }
  });

  test('paths of tiles up to 2^53', () => {
    const tile = fc.record({
      level: fc.nat(63),
      index: fc.maxSafeNat(),
      width: fc.integer({ min: 1, max: 256 }),
    });
    const tiles = fc.sample(tile, { numRuns: 2_000, seed: 5 });
    const theirs = ask(tiles.map(({ level, index, width }) => `path ${level} ${index} ${width}`));
    expect(tiles.map(tilePath)).toEqual(theirs);
  });

  test('a published log, entry by entry, with its cosigned checkpoint; not with one bit changed', () => {
    const published = twoYears().files();
    for (const [path, bytes] of published) {
      const file = join(folder, 'log', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
    }
    const year = join(folder, 'log/2026');
    const said = ask([`log ${year} ${logKey(2026).vkey}`, `log ${year} ${stranger.vkey}`]);
    expect(said[0]).toMatch(/^\d+ entries, root /);
    expect(said[1]).toMatch(/^error: note has no verifiable signatures/);
    for (const path of ['tile/0/000', 'tile/entries/000', 'checkpoint']) {
      const bytes = Buffer.from(published.get(`2026/${path}`) ?? '');
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      writeFileSync(join(year, path), bytes);
      expect(ask([`log ${year} ${logKey(2026).vkey}`])[0], path).toMatch(/^error: /);
      writeFileSync(join(year, path), published.get(`2026/${path}`) ?? '');
    }
  });

  test('the same notes are opened and the same refused, but for loose base64, which only Go takes', () => {
    const writing = twoYears();
    const key = logKey(2026);
    const verifier = parseVerifier(key.vkey);
    const cosigned = Buffer.from(writing.files().get('2026/checkpoint') ?? '');
    const [ours, foreign] = [key.sign('a text\n\nof two parts\n'), probe.sign('a text\n\nof two parts\n')];
    const line = (note: string): string => note.slice(note.lastIndexOf('—'));
    const seeds = [
      Buffer.from(writing.checkpoint(2026)), cosigned, Buffer.from(ours), Buffer.from(foreign),
      Buffer.from(ours + line(foreign)), Buffer.from(foreign + line(ours)), Buffer.from(ours + line(ours)),
      Buffer.from(ours + line(key.sign('another\n'))), Buffer.from(key.sign('another\n') + line(ours)),
      Buffer.from(ours + line(foreign).repeat(99)), Buffer.from(ours + line(foreign).repeat(100)),
      Buffer.from(key.sign('é — 𝄞 \u00a0 \u2028 \ufeff\n')), Buffer.from(key.sign('\n')),
    ]; // prettier-ignore
    const pieces = ['', '\n', '\n\n', ' ', '— ', '=', '==', 'A', '+', '\r', '\t', '\u0000', '\u007f', '\u00a0', '\u2028', '\ufeff']
      .map((piece) => Buffer.from(piece)); // prettier-ignore
    pieces.push(
      Buffer.from([0xff]),
      Buffer.from([0xc0, 0x80]),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from([0xe2, 0x80]),
    );
    const edit = fc.record({ at: fc.nat(), drop: fc.nat(3), put: fc.constantFrom(...pieces) });
    const flip = fc.record({ at: fc.nat(), bit: fc.nat(7) });
    // Near the end, where the signatures are, as often as anywhere.
    const near = (seed: Buffer, at: number): number =>
      at % 2 === 0 ? at % (seed.length + 1) : seed.length - 1 - ((at >> 1) % Math.min(seed.length, 100));
    const changed = fc
      .tuple(fc.constantFrom(...seeds), fc.oneof(fc.array(edit, { minLength: 1, maxLength: 2 }), flip))
      .map(([seed, change]) => {
        if (!Array.isArray(change)) {
          const bytes = Buffer.from(seed);
          const at = near(seed, change.at) % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ (1 << change.bit);
          return bytes;
        }
        return change.reduce((bytes, { at, drop, put }) => {
          const from = near(bytes, at);
          return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + drop)]);
        }, seed);
      });
    const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
    const notes = [...seeds, ...fc.sample(changed, { numRuns: 5_000, seed })];
    const theirs = ask(notes.map((note) => `open ${key.vkey} ${note.toString('base64')}`));
    let loose = 0;
    let taken = 0;
    for (const [i, bytes] of notes.entries()) {
      const text = decodeUtf8(bytes);
      const opened = text === undefined ? { error: 'not UTF-8' } : openSignedBy(text, verifier);
      const isLoose = theirs[i]?.startsWith('loose ') ?? false;
      const said = 'error' in opened ? 'no' : `strict ${Buffer.from(opened.text).toString('base64')}`;
      expect(said, `seed ${seed}: ${JSON.stringify(bytes.toString())}`).toBe(isLoose ? 'no' : theirs[i]);
      loose += isLoose ? 1 : 0;
      taken += said === 'no' ? 0 : 1;
      // Whatever is taken as a checkpoint is one of the two that were signed.
      const checkpoint = text === undefined ? undefined : openCheckpoint(text, verifier);
      if (checkpoint && !('error' in checkpoint)) expect(cosigned.toString()).toContain(checkpoint.text);
    }
    expect(taken).toBeGreaterThan(20);
    expect(loose).toBeGreaterThan(0);
  });
});
