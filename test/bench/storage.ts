/** What is kept costs: in bytes, in time to write, in time to read. Each part measures one of the ways that it is kept. */
import type { Bench } from './bench.ts';
import { bench as storageHot } from './storage-hot.ts';
import { storageNinety } from './storage-ninety.ts';
import { storagePacked } from './storage-packed.ts';

const parts: readonly Bench[] = [storageHot, storageNinety, storagePacked];

export const bench: Bench = async function* (only) {
  for (const part of parts) yield* part(only);
};
