/**
 * Algorand's algod, by its REST API (go-algorand, daemon/algod/api/algod.oas3.yml). A token is a header of the node's
 * in the config: `X-Algo-API-Token`.
 *
 * A round is final as soon as it is there, so no finalized height is told: it would always be the height itself.
 * Peers are not told to the public. `/ready` is not asked: its 17 seconds are judged better by the age of the block,
 * and the rest of what it says is in the status; as a check of its own it is `http` with the path `/ready`.
 */
import type { Fault } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { fault, faultError } from '../../fault.ts';
import type { Ask } from '../ask.ts';
import { isRecord, shown } from '../json.ts';
import {
  base32Id,
  base64Hash,
  checkedGenesis,
  type Fields,
  fieldsOf,
  headerPath,
  newestHeader,
} from './algorand-read.ts';
import { type ChainFamily, type Tip, versionText } from './family.ts';
import { isWhole, secondsAsMs, whole } from './whole.ts';

/** `wait-for-block-after` answers with the old status after a minute (go-algorand, WaitForBlockTimeout). */
const maxWaitMs = 65_000;
/** So many rounds back their pace is measured; nodes that keep no history have the last 1,000. */
const paceRounds = 500;

export const algorand: ChainFamily = {
  family: 'algorand',
  heights: 'number',

  /**
   * Each block names its chain, so a node of another network is seen at once. Without an id: no header has its own, and
   * one more question each round would tell no more than `cp` does.
   */
  async tip(ask, chain): Promise<RoundTip> {
    const status = await statusOf(ask);
    if (status.stopped) throw faultError('target.head.stopped', `at round ${status.round}`);
    const { round, reply } = await newestHeader(ask, status.round);
    // While it fetches a catchpoint it may not have the block that it names.
    if (reply.error?.fault.operation === 'http' && status.catchpoint !== '')
      throw faultError('target.head.syncing', `catching up to catchpoint ${status.catchpoint}`);
    const block = blockIn(fieldsOf(reply, 'the block'));
    const genesis = checkedGenesis(base64Hash(block['gh'], 'gh'), chain?.genesis, block['gh']);
    return { height: round, blockAt: datedAt(block, round), genesis, status };
  },

  async height(ask) {
    return (await statusOf(ask)).round;
  },

  async condition(ask, tip: RoundTip) {
    const status = tip.status ?? (await statusOf(ask));
    const trouble = status.upgrade ? await upgradeAhead(ask, status.upgrade, tip) : undefined;
    return {
      ...(status.syncing === undefined ? {} : { syncing: status.syncing }),
      ...(trouble ? { trouble } : {}),
    };
  },

  /** A proxy may not let `/versions` through. */
  async about(ask) {
    const { build } = fieldsOf(await ask.get('/versions'), 'versions');
    if (!isRecord(build)) return {};
    const parts = [build['major'], build['minor'], build['build_number']];
    const version = parts.every(isWhole) ? versionText(parts.join('.')) : undefined;
    return version === undefined ? {} : { version };
  },

  /** Hashes are told in base32; the id is of the bytes, so that it is the same as the indexer's. */
  async idAt(ask, height) {
    const reply = await ask.get(`/v2/blocks/${height}/hash`);
    return reply.error ? undefined : base32Id(fieldsOf(reply, 'the hash')['blockHash'], 'blockHash');
  },

  stream: {
    kind: 'poll',
    maxWaitMs,
    /**
     * Heights may skip: the node tells its newest round, not the one after. No reorganisation ever happens; a lower round
     * is told all the same, since the one waited for may have been made up.
     */
    async next(ask, after) {
      const reply = await ask.get(`/v2/status/wait-for-block-after/${after}`);
      if (reply.status === 400 || reply.status === 503) await explainRefusedWait(ask);
      const round = whole(fieldsOf(reply, 'the status')['last-round'], 'last-round');
      return round === after ? undefined : { height: round };
    },
  },
};

/** What the status says; `upgrade` is one that the node does not support. */
interface Status {
  readonly round: number;
  readonly stopped: boolean;
  readonly syncing?: boolean;
  /** Empty when none is being fetched. */
  readonly catchpoint: string;
  readonly upgrade?: { readonly version: string; readonly round: number | undefined };
}

/** Keeps the status, so that the condition need not ask for it again. */
interface RoundTip extends Tip {
  readonly status?: Status;
}

async function statusOf(ask: Pick<Ask, 'get'>): Promise<Status> {
  const reply = await ask.get('/v2/status');
  if (reply.status === 404 && (await isIndexer(ask)))
    throw faultError(
      'target.http.status',
      `${reply.error?.fault.detail?.slice(0, 150) ?? ''}; ${meantIndexer}`,
    );
  const said = fieldsOf(reply, 'the status');
  const catchpoint = typeof said['catchpoint'] === 'string' ? said['catchpoint'] : '';
  const catchup = said['catchup-time'];
  // Both are read for being over 0 only; nanoseconds beyond 2^53 lose nothing by that.
  const catching = typeof catchup === 'number' || typeof catchup === 'bigint' ? catchup > 0 : undefined;
  const syncing = catchpoint !== '' || catching;
  return {
    round: whole(said['last-round'], 'last-round'),
    stopped: said['stopped-at-unsupported-round'] === true,
    ...(syncing === undefined ? {} : { syncing }),
    catchpoint,
    ...(said['next-version-supported'] === false ? { upgrade: upgradeOf(said) } : {}),
  };
}

const meantIndexer = 'is this an indexer? set api: indexer';

/** Both have `/health`, where algod says nothing and an indexer how its database is. */
async function isIndexer(ask: Pick<Ask, 'get'>): Promise<boolean> {
  try {
    const { result } = await ask.get('/health');
    return isRecord(result) && 'db-available' in result;
  } catch (thrown) {
    if (thrown instanceof FaultError) return false;
    throw thrown;
  }
}

function upgradeOf(said: Fields): { version: string; round: number | undefined } {
  const [version, round] = [said['next-version'], said['next-version-round']];
  return {
    version: typeof version === 'string' ? version.slice(0, 120) : 'unknown',
    round: isWhole(round) ? round : undefined,
  };
}

function blockIn({ block }: Fields): Fields {
  if (!isRecord(block)) throw faultError('target.rpc.result', `the block is missing: ${shown(block)}`);
  return block;
}

/** Zero is left out of blocks in JSON, so block 0 has no `rnd`. */
function datedAt(block: Fields, round: number): number {
  const said = block['rnd'] === undefined ? 0 : whole(block['rnd'], 'rnd');
  if (said !== round) throw faultError('target.rpc.result', `asked for round ${round}, got ${said}`);
  return secondsAsMs(block['ts'], 'ts');
}

async function upgradeAhead(
  ask: Ask,
  { version, round }: { version: string; round: number | undefined },
  tip: Tip,
): Promise<Fault> {
  if (round === undefined) return fault('target.head.upgrade', version);
  const rounds = Math.max(0, round - tip.height);
  const pace = await paceMs(ask, tip);
  const time = pace === undefined ? '' : `, about ${roughly(rounds * pace)}`;
  return fault('target.head.upgrade', `at round ${round}, in ${rounds} rounds${time}: ${version}`);
}

/** Mean time of the last rounds, asked only while an upgrade is ahead; undefined where it is not to be had. */
async function paceMs(ask: Ask, { height, blockAt }: Tip): Promise<number | undefined> {
  const before = height - paceRounds;
  if (before < 0 || blockAt === undefined) return undefined;
  try {
    const block = blockIn(fieldsOf(await ask.get(headerPath(before)), 'the block'));
    return Math.max(0, blockAt - datedAt(block, before)) / paceRounds;
  } catch (thrown) {
    if (thrown instanceof FaultError) return undefined;
    throw thrown;
  }
}

function roughly(ms: number): string {
  if (ms >= 48 * HOUR_MS) return `${Math.round(ms / (24 * HOUR_MS))} days`;
  if (ms >= 2 * HOUR_MS) return `${Math.round(ms / HOUR_MS)} hours`;
  return `${Math.round(ms / MINUTE_MS)} minutes`;
}

/** 400 is past an upgrade, 503 during a catchpoint; the status tells which, and more than a number of HTTP does. */
async function explainRefusedWait(ask: Pick<Ask, 'get'>): Promise<void> {
  const status = await statusOf(ask);
  if (status.stopped) throw faultError('target.head.stopped', `at round ${status.round}`);
  if (status.catchpoint !== '')
    throw faultError('target.head.syncing', `catching up to catchpoint ${status.catchpoint}`);
  if (status.upgrade?.round !== undefined)
    throw faultError('target.head.upgrade', `at round ${status.upgrade.round}: ${status.upgrade.version}`);
}
