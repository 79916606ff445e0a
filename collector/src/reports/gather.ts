/**
 * A month's bundle out of the store, the log and the bodies, as files by name (config's bundle/files.ts): what is asked for is
 * made, and let go when the next is asked for. Bodies are held for one service and day.
 */
import { bundledCheckpoint, bundledPolicy } from '@highwater/config/bundle/bundled.ts';
import { BODIES_FILE_BYTES, BundleError, type BundleFiles, names } from '@highwater/config/bundle/files.ts';
import { formatKeys } from '@highwater/config/bundle/keys.ts';
import { cutAt, isPublished } from '@highwater/config/bundle/published.ts';
import { formatRange } from '@highwater/config/bundle/range.ts';
import { formatHashes } from '@highwater/config/bundle/tree.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { parsePolicy } from '@highwater/config/proof/policy.ts';
import { parseProjection, type RuleConfig } from '@highwater/config/proof/projection.ts';
import { parseDay } from '@highwater/config/proof/rule/period.ts';
import { bundlePath, foldTile, hashesAt, parseTilePath, TILE_WIDTH } from '@highwater/config/proof/tiles.ts';
import { formatTlogProof } from '@highwater/config/proof/tlog-proof.ts';
import {
  consistencyProof,
  inclusionProof,
  tilesForConsistency,
  tilesForInclusion,
} from '@highwater/config/proof/tree.ts';
import { openBodies } from '../bodies/bodies.ts';
import { openPacked } from '../bodies/packed.ts';
import { readTile } from '../log/files.ts';
import { commitOf, indexOf, logOf } from '../log/sequence.ts';
import { fetchTiles } from '../log/witness-proof.ts';
import { batchOf } from '../slots/batch-commit.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { CommitRow, ReadTx, Store } from '../store/store.ts';
import { type DayBodies, openDayBodies, type WantedBody } from './day-bodies.ts';
import type { EndedLog, Plan } from './plan.ts';

export interface GatherParts {
  readonly tx: ReadTx;
  readonly blobs: Blobs;
  readonly plan: Plan;
  /** Verifier key of who signs the leaves. */
  readonly operatorKey: string;
  /** Text of the policy. */
  readonly policy: string;
}

/** What is asked of the store goes to the one view that there is. */
function readOnly(tx: ReadTx): Store {
  return {
    read: (_shard, work) => work(tx),
    transact: () => Promise.reject(new Error('a report is made from what is there')),
    async [Symbol.asyncDispose]() {
      // The view is another's.
    },
  };
}

/** The bodies of a service's day in files, in the order of the log. */
interface ServiceDay {
  readonly missing: string;
  readonly bodies: readonly Uint8Array[];
  readonly parts: readonly { readonly from: number; readonly to: number }[];
}

interface Day {
  readonly day: number;
  readonly wanted: ReadonlyMap<string, readonly WantedBody[]>;
  readonly bodies: DayBodies;
}

/** What a configuration leaf commits to, by its leaf hash; its text by SHA-256 in hex. */
function projectionsIn(leaves: readonly CommitRow[]): {
  readonly configs: ReadonlyMap<string, RuleConfig>;
  readonly texts: ReadonlyMap<string, string>;
} {
  const configs = new Map<string, RuleConfig>();
  const texts = new Map<string, string>();
  for (const { kind, hash, body } of leaves) {
    if (kind !== 'config' || body === undefined) continue;
    const config = parseProjection(body);
    if (!('error' in config)) configs.set(hash, config);
    texts.set(encodeHex(sha256(utf8(body))), body);
  }
  return { configs, texts };
}

export async function gather({
  tx,
  blobs,
  plan,
  operatorKey,
  policy: text,
}: GatherParts): Promise<BundleFiles> {
  const policy = parsePolicy(text, sha256);
  if ('error' in policy) throw new Error(`the policy: ${policy.error}`);
  const store = readOnly(tx);
  const bodies = openBodies(
    store,
    blobs,
    openPacked((work) => work(tx), blobs),
  );
  const { configs, texts } = projectionsIn(await tx.leaves());
  const tiles = { tile: (year: number, path: string) => readTile(blobs, year, path) };
  const logAt = (year: number): EndedLog | undefined => plan.logs.find((log) => log.year === year);
  const treeAt = (year: number) => plan.range.trees.find((tree) => tree.year === year);

  const openDay = async (day: number): Promise<Day> => {
    const wanted = new Map<string, WantedBody[]>();
    let bytes = 0;
    for (const index of plan.days.get(day) ?? []) {
      const [commit] = await tx.commitsFrom(index, 1);
      const batch = commit && batchOf(commit);
      if (batch === undefined) throw new Error(`commit ${index} is no batch`);
      const config = configs.get(batch.config);
      for (const ref of batch.bodies) {
        if (!isPublished(config, ref.service)) continue;
        bytes += ref.bytes;
        const own = wanted.get(ref.service);
        if (own === undefined) wanted.set(ref.service, [{ index, batch, ref }]);
        else own.push({ index, batch, ref });
      }
    }
    return { day, wanted, bodies: openDayBodies(tx, blobs, bodies, day, bytes) };
  };
  let openedDay: Promise<Day> | undefined;
  let openedAt: string | undefined;
  let opened: Promise<ServiceDay | undefined> | undefined;

  const serviceDay = async (day: number, service: string): Promise<ServiceDay | undefined> => {
    if ((await openedDay)?.day !== day) openedDay = openDay(day);
    const known = await openedDay;
    const wanted = known?.wanted.get(service);
    if (known === undefined || wanted === undefined) return undefined;
    const given = await known.bodies.of(service, wanted);
    const found: Uint8Array[] = [];
    let missing = '';
    for (const [i, body] of given.entries()) {
      const { index = 0 } = wanted[i] ?? {};
      const log = logOf(plan.logs, index);
      if (typeof body !== 'string') found.push(body);
      else if (log !== undefined) missing += `missing ${log.year} ${indexOf(log, index)} ${body}\n`;
    }
    const sizes = found.map(({ length }) => length);
    return { missing, bodies: found, parts: cutAt(BODIES_FILE_BYTES, sizes) };
  };

  const bodiesFile = async (date: string, service: string, part: number): Promise<Uint8Array | undefined> => {
    const day = parseDay(date);
    if (day === undefined) return undefined;
    const at = `${date} ${service}`;
    if (openedAt !== at) opened = serviceDay(day, service);
    openedAt = at;
    const own = await opened;
    const cut = own?.parts[part];
    if (own === undefined || (cut === undefined && part > 0)) return undefined;
    const head = part === 0 ? [utf8(own.missing)] : [];
    return Buffer.concat([...head, ...own.bodies.slice(cut?.from ?? 0, cut?.to ?? 0)]);
  };

  const logFile = async (year: number, name: string): Promise<Uint8Array | string | undefined> => {
    const [log, tree] = [logAt(year), treeAt(year)];
    if (log === undefined || tree === undefined) return undefined;
    const alone = (checkpoint: string): string => bundledCheckpoint(checkpoint, log.vkey, undefined, sha256);
    if (name === names.end(year))
      return tree === plan.range.trees.at(-1)
        ? bundledCheckpoint(log.checkpoint, log.vkey, policy, sha256)
        : alone(log.checkpoint);
    const path = `tile/${name.slice(`logs/${year}/`.length)}`;
    const asked = parseTilePath(path);
    if (asked?.kind === 'entries') {
      const width = Math.min(TILE_WIDTH, tree.size - asked.index * TILE_WIDTH);
      if (width <= 0 || (asked.index + 1) * TILE_WIDTH <= tree.start) return undefined;
      const bundle = await readTile(blobs, year, bundlePath(asked.index, width));
      if (bundle === undefined) throw new Error(`${bundlePath(asked.index, width)} of ${year} is missing`);
      return bundle;
    }
    if (tree.start === 0) return undefined;
    if (name === names.start(year)) return plan.start === undefined ? undefined : alone(plan.start);
    if (name === names.consistency(year)) {
      const wanted = await fetchTiles(tiles, year, tilesForConsistency(tree.start, tree.size));
      return formatHashes(consistencyProof(tree.start, tree.size, wanted, sha256));
    }
    if (name === names.frontier(year))
      return tree.start === tree.size ? '' : formatHashes(await frontier(blobs, year, tree));
    return undefined;
  };

  const leafFile = async (year: number, index: number, isProof: boolean): Promise<string | undefined> => {
    const log = logAt(year);
    if (log === undefined || index >= log.size) return undefined;
    if (!isProof && index === 0 && log.carried !== undefined) return log.carried;
    if (!isProof) return (await tx.commitsFrom(commitOf(log, index), 1))[0]?.note;
    const wanted = await fetchTiles(tiles, year, tilesForInclusion(index, log.size));
    const proof = inclusionProof(index, log.size, wanted, sha256);
    return formatTlogProof({
      index,
      proof,
      checkpoint: bundledCheckpoint(log.checkpoint, log.vkey, undefined, sha256),
    });
  };

  const make = async (name: string): Promise<Uint8Array | string | undefined> => {
    if (name === names.range) return formatRange(plan.range);
    if (name === names.keys) {
      return formatKeys({ operator: operatorKey, logs: plan.logs.map(({ year, vkey }) => ({ year, vkey })) });
    }
    if (name === names.policy) return bundledPolicy(policy);
    const [folder = '', first = '', second = '', third = ''] = name.split('/');
    if (folder === 'configs') return texts.get(first);
    if (folder === 'bodies') return bodiesFile(first, second, Number(third));
    if (folder === 'logs') return logFile(Number(first), name);
    if (folder !== 'leaves') return undefined;
    return leafFile(Number(first), Number(second.split('.')[0]), second.includes('.'));
  };

  return {
    async read(name, maxBytes) {
      const made = await make(name);
      const bytes = typeof made === 'string' ? utf8(made) : made;
      if (bytes !== undefined && bytes.length > maxBytes) {
        throw new BundleError(name, `it has ${bytes.length} bytes, and may have ${maxBytes}`);
      }
      return bytes;
    },
  };
}

/** Hashes of the full subtrees before the first tile that has an entry of the range, widest first. */
async function frontier(
  blobs: Blobs,
  year: number,
  { start, size }: { readonly start: number; readonly size: number },
): Promise<Uint8Array[]> {
  const end = start - (start % TILE_WIDTH);
  const hashes: Uint8Array[] = [];
  for (let from = 0; from < end;) {
    let level = 1;
    // In hashes of the level; a subtree is wholly in one tile.
    let [unit, count] = [TILE_WIDTH, 1];
    while (from + unit * count * 2 <= end) {
      count *= 2;
      if (count < TILE_WIDTH) continue;
      level += 1;
      unit *= TILE_WIDTH;
      count = 1;
    }
    const place = from / unit;
    const index = Math.floor(place / TILE_WIDTH);
    const width = Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH);
    const tile = { level, index, width };
    const bytes = (await fetchTiles({ tile: (of, path) => readTile(blobs, of, path) }, year, [tile]))(tile);
    hashes.push(foldTile(bytes, place % TILE_WIDTH, count, sha256));
    from += unit * count;
  }
  return hashes;
}
