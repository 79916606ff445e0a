/** A configuration becomes one that is in the log: all that can be wrong with it is found before anything is written. */
import { sha256 } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { projectConfig } from '@highwater/config/project.ts';
import { parseConfigLeaf } from '@highwater/config/proof/leaves.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { formatProjection } from '@highwater/config/proof/projection.ts';
import { type Instant, MINUTE_MS } from '@highwater/config/time.ts';
import type { Declared } from '../generation.ts';
import type { Lasting } from '../lasting.ts';
import { declareLeaves } from '../leaves/leaves.ts';
import { LOG_SHARD, watch, type Watched } from '../watched.ts';

export interface Prepared {
  readonly watched: Watched;
  /** What is public of it, canonical: the body of its leaf. */
  readonly projection: string;
}

/** Throws KeyError for a probe key that can't be read. Writes nothing. */
export function prepare({ seed, salt }: Lasting, config: Config): Prepared {
  return {
    watched: watch(config),
    projection: formatProjection(projectConfig(config, { seed, salt }, sha256)),
  };
}

/** Commits the leaves of what differs from those before, FULL. */
export async function declare(
  { store, blobs, key, clock }: Lasting,
  { watched, projection }: Prepared,
): Promise<Declared> {
  return { watched, configHash: await declareLeaves(store, blobs, watched, key, projection, clock.now()) };
}

/** The first minute that the newest configuration leaf names, as Unix ms; 0 without a leaf. */
export async function inForceFrom({ store }: Lasting): Promise<Instant> {
  const leaf = await store.read(LOG_SHARD, (tx) => tx.lastOfKind('config'));
  const note = leaf === undefined ? { error: 'none' } : parseNote(leaf.note);
  const read = 'error' in note ? note : parseConfigLeaf(note.text);
  return 'error' in read ? 0 : read.from * MINUTE_MS;
}
