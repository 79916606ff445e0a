import { readFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument, visit } from 'yaml';
import { describe, expect, it } from 'vitest';
import { loadConfig } from './load.ts';
import { exampleTables } from './testing.ts';

const text = readFileSync(new URL('../testdata/good/everything-so-far.yaml', import.meta.url), 'utf8');

/** A small generator with a seed, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Where keys stand in the text; names that the operator chooses (headers) are left out. */
function keyRanges(): [number, number][] {
  const ranges: [number, number][] = [];
  visit(parseDocument(text), {
    Pair(_, pair, path) {
      const parent = path.at(-2);
      const inHeaders = path.some(
        (node) =>
          isMap(node) &&
          node.items.some((item) => isScalar(item.key) && item.key.value === 'X-Token') &&
          node === path.at(-1),
      );
      if (isScalar(pair.key) && pair.key.range && !inHeaders && parent !== undefined) {
        ranges.push([pair.key.range[0], pair.key.range[1]]);
      }
    },
  });
  return ranges;
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCXYZ019_-';

function mutateKey(seed: number): string {
  const next = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const [start, end] = pick(keyRanges());
  const at = start + Math.floor(next() * (end - start));
  const letter = pick([...letters]);
  const edits = [
    () => text.slice(0, at) + text.slice(at + 1),
    () => text.slice(0, at) + letter + text.slice(at),
    () => text.slice(0, at) + letter + text.slice(at + 1),
    () => text.slice(0, start) + text.slice(start, end).toUpperCase() + text.slice(end),
  ];
  return pick(edits)();
}

/** Takes away or doubles a character that holds the file together. */
function mutateStructure(seed: number): string {
  const next = random(seed);
  const marks = [...text.matchAll(/[[\]{}:,"-]/g)].map(({ index }) => index);
  const at = marks[Math.floor(next() * marks.length)] ?? 0;
  return next() < 0.5
    ? text.slice(0, at) + text.slice(at + 1)
    : text.slice(0, at) + text.charAt(at) + text.slice(at);
}

const load = (source: string) => loadConfig(source, 'mutated.yaml', exampleTables);
const original = load(text);

describe('a config with a typing error', () => {
  it('is good without one', () => {
    expect(original).toHaveProperty('config');
  });

  it('in a key is refused, or means the same, in 100 of 100', () => {
    const accepted = Array.from({ length: 100 }, (_, seed) => mutateKey(seed)).flatMap((source) => {
      const loaded = load(source);
      return 'config' in loaded && source !== text ? [loaded] : [];
    });
    for (const loaded of accepted) expect(loaded).toEqual(original);
    expect(accepted.length).toBeLessThan(10);
  });

  it('in its structure never throws', () => {
    for (let seed = 0; seed < 100; seed++) expect(() => load(mutateStructure(seed))).not.toThrow();
  });
});
