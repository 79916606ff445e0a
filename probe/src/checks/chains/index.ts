/** The table of chain families: one file each. `FAMILY.API` is another API of the same chain. */
import { algorandIndexer } from './algorand-indexer.ts';
import { algorand } from './algorand.ts';
import { bitcoin } from './bitcoin.ts';
import { cosmos } from './cosmos.ts';
import { evm } from './evm.ts';
import type { ChainFamily } from './family.ts';
import { graphene } from './graphene.ts';
import { solana } from './solana.ts';
import { substrate } from './substrate.ts';

const table: Readonly<Record<string, ChainFamily>> = {
  algorand,
  'algorand.indexer': algorandIndexer,
  bitcoin,
  cosmos,
  evm,
  graphene,
  solana,
  substrate,
};

/** The family's way of asking; undefined for one that this probe does not know. */
export function familyOf(family: string, api?: string): ChainFamily | undefined {
  const name = api === undefined ? family : `${family}.${api}`;
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
