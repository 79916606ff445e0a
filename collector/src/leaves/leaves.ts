/** The operator's own leaves: what is configured and who may speak, each in force from its first minute. */
import type { SigningKey } from '@highwater/config/keys.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { ProbeDecl } from '@highwater/config/model.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import { formatConfigLeaf, formatProbeLeaf } from '@highwater/config/proof/leaves.ts';
import { type Instant, minuteOf } from '@highwater/config/time.ts';
import { keepProjection } from '../ingest/bodies.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { type CommitKind, ConflictError, type Store, type Tx } from '../store/store.ts';
import { LOG_SHARD, type Watched } from '../watched.ts';

/** What is enrolled now: `enrolled` in the log's shard, by probe. */
export interface EnrolledState {
  readonly key: string;
  readonly region: string;
  readonly operator: string;
  readonly at: Instant;
}

interface Operator {
  readonly key: SigningKey;
  readonly origin: string;
  readonly at: Instant;
  /** S of whatever is declared now: the next minute. */
  readonly from: number;
}

/** Signs a leaf and appends it to the commit sequence. Returns its hash, base64. */
export async function append(
  tx: Tx,
  operator: Pick<Operator, 'key' | 'at'>,
  kind: CommitKind,
  text: string,
  body?: string,
): Promise<string> {
  const note = operator.key.sign(text);
  const hash = leafHashOfNote(note, sha256);
  await tx.addCommit({ kind, at: operator.at, note, hash, ...(body === undefined ? {} : { body }) });
  return hash;
}

/** Minutes that a leaf is put off at most, so that it is another one. */
const MAX_PUT_OFF = 60;

/**
 * Appends a leaf that names its first minute. What is declared, taken back and declared again within a minute would be
 * the same leaf twice, which a log can't hold: it then names the first minute that makes it another.
 */
async function appendFrom(
  tx: Tx,
  operator: Operator,
  kind: CommitKind,
  textFrom: (from: number) => string,
  body?: string,
): Promise<string> {
  for (let from = operator.from; from <= operator.from + MAX_PUT_OFF; from += 1) {
    const text = textFrom(from);
    const hash = leafHashOfNote(operator.key.sign(text), sha256);
    if ((await tx.commitByHash(hash)) === undefined) return append(tx, operator, kind, text, body);
  }
  throw new ConflictError('the same was declared and taken back too often; come again in a minute');
}

async function declareConfig(tx: Tx, operator: Operator, projection: string): Promise<string> {
  const last = await tx.lastOfKind('config');
  if (last?.body === projection) return last.hash;
  const { origin } = operator;
  const bytes = utf8(projection);
  const leaf = { origin, bytes: bytes.length, hash: encodeBase64(sha256(bytes)) };
  return appendFrom(tx, operator, 'config', (from) => formatConfigLeaf({ ...leaf, from }), projection);
}

async function declareProbe(
  tx: Tx,
  operator: Operator,
  act: 'enrol' | 'revoke',
  probe: string,
  state: EnrolledState,
): Promise<void> {
  const { origin } = operator;
  const { key, region, operator: runBy } = state;
  const leaf = { origin, act, probe, region, key, operator: runBy };
  await appendFrom(tx, operator, 'probe', (from) => formatProbeLeaf({ ...leaf, from }));
}

function sameProbe(a: EnrolledState, b: ProbeDecl): boolean {
  return a.key === b.key && a.region === b.region && a.operator === b.operator;
}

async function declareProbes(tx: Tx, operator: Operator, probes: readonly ProbeDecl[]): Promise<void> {
  const rows = await tx.listState('enrolled');
  for (const row of rows) {
    const state = row.value as EnrolledState;
    const declared = probes.find((probe) => probe.id === row.key);
    if (declared !== undefined && sameProbe(state, declared)) continue;
    await declareProbe(tx, operator, 'revoke', row.key, state);
    await tx.deleteState('enrolled', row.key);
  }
  for (const probe of probes) {
    if ((await tx.getState('enrolled', probe.id)) !== undefined) continue;
    const state = { key: probe.key, region: probe.region, operator: probe.operator, at: operator.at };
    await declareProbe(tx, operator, 'enrol', probe.id, state);
    await tx.putState('enrolled', probe.id, 0, state);
  }
}

/**
 * Appends what differs from the last leaves: the configuration when its projection does, enrolments and
 * revocations of probes. All in one transaction; nothing when nothing differs. Returns the leaf hash (base64) of
 * the configuration that now holds.
 */
export async function declareLeaves(
  store: Store,
  blobs: Blobs,
  watched: Watched,
  key: SigningKey,
  projection: string,
  now: Instant,
): Promise<string> {
  const operator = { key, origin: watched.config.origin, at: now, from: minuteOf(now) + 1 };
  // What a leaf names is there before the leaf.
  await keepProjection(blobs, projection);
  return store.transact(LOG_SHARD, async (tx) => {
    const hash = await declareConfig(tx, operator, projection);
    await declareProbes(tx, operator, watched.config.probes);
    return hash;
  });
}
