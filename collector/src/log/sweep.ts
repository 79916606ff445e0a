/** Partial tiles go once the full one is signed: a reader that still asks for one is answered from the full one. */
import {
  bundlePath,
  bundlesBetween,
  TILE_WIDTH,
  tilePath,
  tilesBetween,
} from '@highwater/config/proof/tiles.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { partialsOf } from './files.ts';

/** Removes the partial forms of what became full between two signed sizes. Repeatable. */
export async function sweep(blobs: Blobs, year: number, oldSize: number, newSize: number): Promise<void> {
  const paths = [
    ...bundlesBetween(oldSize, newSize)
      .filter(({ width }) => width === TILE_WIDTH)
      .map(({ index, width }) => bundlePath(index, width)),
    ...tilesBetween(oldSize, newSize)
      .filter(({ width }) => width === TILE_WIDTH)
      .map(tilePath),
  ];
  for (const path of paths) await blobs.removeUnder(partialsOf(year, path));
}
