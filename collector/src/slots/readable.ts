/**
 * Whether a block can be decoded. One that can not is damaged: it is told, and is as if it were not there, so that nothing
 * else is held up by it.
 */
import { crc32 } from 'node:zlib';
import type { Store, View } from '../store/store.ts';
import { decodeRuns } from './day.ts';
import { decodeHeads } from './heads-block.ts';
import { decodeLatency } from './latency-block.ts';
import { decodeMonth } from './month.ts';

/** A block that can not be decoded. */
export interface DamagedBlock {
  readonly view: View;
  readonly period: number;
  readonly subject: string;
  readonly says: string;
}

/** Blocks that were looked at; those of which it is forgotten are looked at again. */
const MAX_KNOWN = 200_000;

const decoders: Readonly<Record<View, (block: Uint8Array) => unknown>> = {
  slots: decodeRuns,
  totals: decodeMonth,
  latency: decodeLatency,
  'latency-days': decodeLatency,
  heads: decodeHeads,
};

/** What is wrong with a block; undefined where it can be decoded. */
export function damageOf(view: View, block: Uint8Array): string | undefined {
  try {
    decoders[view](block);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export interface Readable {
  is(view: View, period: number, subject: string, block: Uint8Array): boolean;
}

/** Each is decoded when it is first met, and again when its bytes are others. @param tell once of each */
export function openReadable(tell: (damaged: DamagedBlock) => void): Readable {
  const known = new Map<string, number>();
  const told = new Set<string>();
  return {
    is(view, period, subject, block) {
      const place = `${view} ${period} ${subject}`;
      const sum = crc32(block);
      if (known.get(place) === sum) return true;
      const says = damageOf(view, block);
      if (says === undefined) {
        if (known.size >= MAX_KNOWN) known.clear();
        known.set(place, sum);
        return true;
      }
      if (!told.has(place)) {
        told.add(place);
        tell({ view, period, subject, says });
      }
      return false;
    },
  };
}

type Tell = (damaged: DamagedBlock) => void;
const tellers = new WeakMap<Store, Tell>();

/** Who is told of a store's damaged blocks, whoever reads them. */
export function onDamagedBlock(store: Store, tell: Tell): void {
  tellers.set(store, tell);
}

export function tellDamagedBlock(store: Store, damaged: DamagedBlock): void {
  tellers.get(store)?.(damaged);
}
