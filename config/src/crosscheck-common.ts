/** What every cross-check needs: ids that are declared, and the findings for those that are not. */
import type { Declared } from './declared.ts';
import { textOf, wrong } from './decode.ts';
import type { Entry } from './decode.ts';
import { nearest } from './problems.ts';
import type { Finding, Path } from './problems.ts';

/** Ids of the declared regions; `here` when none are. */
export function regionIds(declared: Declared): string[] {
  if (declared.regions === undefined) return ['here'];
  return declared.regions.flatMap((entry) => textOf(entry.raw, 'id') ?? []);
}

/** Regions that have an enrolled probe. With no probe declared `up` makes one in the one region. */
export function watchedRegions(declared: Declared): string[] {
  const regions = regionIds(declared);
  if (declared.probes.length === 0) return regions.slice(0, 1);
  const enrolled = new Set(declared.probes.map((entry) => textOf(entry.raw, 'region')));
  return regions.filter((region) => enrolled.has(region));
}

export function checkUnique(entries: readonly Entry<unknown>[], what: string, findings: Finding[]): void {
  const first = new Map<string, Path>();
  for (const { raw, path } of entries) {
    const id = textOf(raw, 'id');
    if (id === undefined) continue;
    if (first.has(id))
      findings.push(wrong([...path, 'id'], id, `a second ${what} with this id, give it another`));
    first.set(id, path);
  }
}

/** A name that must be one of those declared. */
export function checkKnown(
  path: Path,
  name: unknown,
  what: string,
  known: readonly string[],
  findings: Finding[],
): void {
  if (typeof name !== 'string' || known.includes(name)) return;
  const near = nearest(name, known);
  // A second entry with the same id is a mistake of its own.
  const ids = [...new Set(known)];
  const list = ids.length === 0 ? 'none is declared' : `write one of: ${ids.slice(0, 20).join(', ')}`;
  findings.push(wrong(path, name, `unknown ${what}, ${near === undefined ? list : `did you mean ${near}?`}`));
}

/** What to do where a region has no probe. */
export const enrolRemedy =
  'run `highwater probe keygen --id ID` where the probe will run, then `highwater probe enroll VKEY --region R` prints the lines to add';
