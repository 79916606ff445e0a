/** Which folder is a bundle that somebody has unpacked: also one that lacks files, even its first. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { names } from '@highwater/config/bundle/files.ts';

/** Of these, `range` alone makes a bundle; of the others one may be anybody's. README.md and the like say nothing. */
const tops: ReadonlySet<string> = new Set([
  names.keys,
  names.policy,
  names.report,
  names.note,
  names.proof,
  names.continues,
  ...['logs', 'leaves', 'configs', 'bodies'],
]);
const FEWEST = 2;

/** The folder itself, or the only one in it, as an archive unpacks; undefined where neither is a bundle. */
export async function bundleFolder(path: string): Promise<string | undefined> {
  if (await isBundle(path)) return path;
  const inside = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const [only] = inside;
  if (only === undefined || inside.length > 1) return undefined;
  const unpacked = join(path, only.name);
  return (await isBundle(unpacked)) ? unpacked : undefined;
}

async function isBundle(folder: string): Promise<boolean> {
  const entries = await readdir(folder);
  return entries.includes(names.range) || entries.filter((name) => tops.has(name)).length >= FEWEST;
}
