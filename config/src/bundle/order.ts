/** The one order of a bundle's files (files.ts): in which they lie in an archive, and are read. */
import { compareBytewise, isId, parseDecimal } from '../proof/bytes.ts';
import { parseDay } from '../proof/rule/period.ts';
import { parseTilePath } from '../proof/tiles.ts';
import { names } from './files.ts';

/** Longer ones are none of a bundle. */
export const MAX_NAME_CHARS = 200;
/** Entries of a log, and so their indexes, are below it (orderOf). */
const MAX_INDEX = 2 ** 40 - 1;

/** Where a file lies: compared place by place. What begins with the same number has the same kinds of places. */
export type BundlePlace = readonly (number | string)[];

const single: Readonly<Record<string, number>> = {
  [names.range]: 0,
  [names.keys]: 1,
  [names.policy]: 2,
  [names.report]: 8,
  [names.note]: 9,
  [names.proof]: 10,
  [names.continues]: 11,
  [names.markdown]: 12,
  [names.csv]: 13,
  [names.readme]: 14,
  [names.index]: 15,
};
const ofLog = ['start.checkpoint', 'end.checkpoint', 'consistency', 'frontier'];

/** Undefined for what is no name of a bundle's file; no two names have one place. */
export function placeOfName(name: string): BundlePlace | undefined {
  if (name.length > MAX_NAME_CHARS) return undefined;
  if (Object.hasOwn(single, name)) return [single[name] ?? 0];
  const [folder = '', first = '', ...rest] = name.split('/');
  if (folder === 'configs') return /^[0-9a-f]{64}$/.test(first) && rest.length === 0 ? [6, first] : undefined;
  if (folder === 'bodies') return bodiesPlace(first, rest);
  const year = /^[0-9]{4}$/.test(first) ? parseDecimal(first, 9_999) : undefined;
  if (year === undefined) return undefined;
  if (folder === 'leaves') return leafPlace(year, rest);
  if (folder !== 'logs') return undefined;
  const file = rest.join('/');
  if (ofLog.includes(file)) return [3, year, ofLog.indexOf(file)];
  const tile = parseTilePath(`tile/${file}`);
  return tile?.kind === 'entries' && tile.width === 256 ? [5, year, tile.index] : undefined;
}

/** An entry, and then its proof. */
function leafPlace(year: number, [file = '', ...more]: readonly string[]): BundlePlace | undefined {
  const isProof = file.endsWith('.tlog-proof');
  const index = parseDecimal(isProof ? file.slice(0, -'.tlog-proof'.length) : file, MAX_INDEX);
  return index === undefined || more.length > 0 ? undefined : [4, year, index, isProof ? 1 : 0];
}

function bodiesPlace(date: string, rest: readonly string[]): BundlePlace | undefined {
  const [service = '', number = '', ...more] = rest;
  const day = parseDay(date);
  if (day === undefined || more.length > 0) return undefined;
  // An id may be made of dots alone; a folder of that name is another one.
  if (!isId(service) || service === '.' || service === '..') return undefined;
  if (!/^(?:[0-9]{3}|[1-9][0-9]{3,5})$/.test(number)) return undefined;
  return [7, day, service, Number(number)];
}

export function comparePlaces(a: BundlePlace, b: BundlePlace): number {
  for (const [i, of] of a.entries()) {
    const other = b[i];
    if (typeof of === 'number' && typeof other === 'number' && of !== other) return of - other;
    if (typeof of === 'string' && typeof other === 'string' && of !== other)
      return compareBytewise(of, other);
  }
  return 0;
}

/** Below 0 when `a` comes first. Throws RangeError for what is no name of a bundle's file. */
export function compareNames(a: string, b: string): number {
  return comparePlaces(known(a), known(b));
}

function known(name: string): BundlePlace {
  const place = placeOfName(name);
  if (place === undefined) throw new RangeError(`no file of a bundle: ${name.slice(0, MAX_NAME_CHARS)}`);
  return place;
}
