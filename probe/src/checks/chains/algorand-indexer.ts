/**
 * Algorand's indexer, by its REST API (algorand/indexer, api/indexer.oas3.yml): how far its database follows algod.
 * Its `/health` answers 200 even when it is broken, so the body is judged. It has no stream.
 */
import type { Fault } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { fault, faultError } from '../../fault.ts';
import type { Ask } from '../ask.ts';
import { type Json, shown } from '../json.ts';
import {
  base64Hash,
  checkedGenesis,
  type Fields,
  fieldsOf,
  headerPath,
  newestHeader,
} from './algorand-read.ts';
import { type ChainFamily, versionText } from './family.ts';
import { secondsAsMs, whole } from './whole.ts';

/** The version that an indexer said beside its newest round, for `about` in the same run. */
const introduced = new WeakMap<Ask, Json | undefined>();

export const algorandIndexer: ChainFamily = {
  family: 'algorand',
  heights: 'number',

  /** The genesis hash is in each block. */
  async tip(ask, chain) {
    const health = await healthOf(ask);
    introduced.set(ask, health.version);
    const { round, block } = await newestBlock(ask, health);
    const said = block['genesis-hash'];
    return {
      height: round,
      blockAt: secondsAsMs(block['timestamp'], 'timestamp'),
      genesis: checkedGenesis(base64Hash(said, 'genesis-hash'), chain?.genesis, said),
      along: health.trouble ? { trouble: health.trouble } : {},
    };
  },

  async height(ask) {
    return (await healthOf(ask)).round;
  },

  condition: (_, { along = {} }) => Promise.resolve(along),

  about(ask) {
    const said = introduced.get(ask);
    // After the number come the date and the commit.
    const version = typeof said === 'string' ? versionText(said.trim().split(/\s/)[0]) : undefined;
    return Promise.resolve(version === undefined ? {} : { version });
  },

  /** A block's own hash is not told, but the next one names it; in base64, where algod writes base32. */
  async idAt(ask, height) {
    const reply = await ask.get(headerPath(height + 1));
    if (reply.error) return undefined;
    const said = fieldsOf(reply, 'the block')['previous-block-hash'];
    return base64Hash(said, 'previous-block-hash').slice(0, 8);
  },
};

interface Health {
  readonly round: number;
  /** It answers, but says that something is wrong. */
  readonly trouble?: Fault;
  readonly version: Json | undefined;
}

/** Without its database it has nothing to tell: that is thrown. */
async function healthOf(ask: Ask): Promise<Health> {
  const reply = await ask.get('/health');
  if (reply.result === null)
    throw faultError('target.rpc.result', 'health says nothing; is this an algod? leave api out');
  const said = fieldsOf(reply, 'health');
  const wrong = troubles(said);
  if (said['db-available'] === false)
    throw faultError('target.head.index', ['the database is not available', ...wrong].join('; '));
  return {
    round: whole(said['round'], 'round'),
    version: said['version'],
    ...(wrong.length === 0 ? {} : { trouble: fault('target.head.index', wrong.join('; ')) }),
  };
}

function troubles(said: Fields): string[] {
  const errors: readonly Json[] = Array.isArray(said['errors']) ? said['errors'] : [];
  return [...(said['is-migrating'] === true ? ['migrating'] : []), ...errors.map((error) => shown(error))];
}

async function newestBlock(ask: Ask, health: Health): Promise<{ round: number; block: Fields }> {
  const { round, reply } = await newestHeader(ask, health.round);
  // It answers no such question while its database is brought to a newer form (api/middlewares, migration).
  if (reply.error?.fault.operation === 'http' && health.trouble) throw new FaultError(health.trouble);
  const block = fieldsOf(reply, 'the block');
  const said = whole(block['round'], 'round');
  if (said !== round) throw faultError('target.rpc.result', `asked for round ${round}, got ${said}`);
  return { round, block };
}
