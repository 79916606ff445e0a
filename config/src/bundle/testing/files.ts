/** A bundle's files in memory, for tests. */
import { type BundleFiles, BundleError } from '../files.ts';
import { comparePlaces, placeOfName } from '../order.ts';

/** They may be asked for in their order alone, as those of an archive. */
export function filesOf(files: ReadonlyMap<string, Uint8Array>): BundleFiles & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    read(name, maxBytes) {
      const last = asked.at(-1);
      const [place, before] = [placeOfName(name), placeOfName(last ?? '')];
      if (place === undefined) throw new Error(`no name of a bundle: ${name}`);
      if (before !== undefined && comparePlaces(before, place) >= 0)
        throw new Error(`${name} was asked for after ${last}`);
      asked.push(name);
      const bytes = files.get(name);
      if ((bytes?.length ?? 0) > maxBytes) return Promise.reject(new BundleError(name, 'it is too large'));
      return Promise.resolve(bytes);
    },
  };
}
