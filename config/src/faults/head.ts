/** Faults of what a node says of the chain's head. */
import type { FaultMeanings } from './meaning.ts';

export const headFaults: FaultMeanings = {
  'target.head.chain': {
    means: 'The node serves another chain: its chain id is not the one configured.',
    look: 'It was started with the wrong network, or the address points to another node.',
  },
  'target.head.genesis': {
    means: 'The node serves another chain: its genesis is not the one configured.',
    look: 'It was started with the wrong network, or the address points to another node. With the right chain id it is a fork or a private network, or its data folder was wiped.',
  },
  'target.head.old': {
    means: 'The newest block is older than allowed: the node answers but its head stands still.',
    look: 'Has the node lost its peers, is it out of disk, or is the chain itself stalled?',
  },
  'target.head.syncing': {
    means: 'The node says that it is still syncing.',
    look: 'Wait until it has caught up; if it never does, look at peers and disk.',
  },
  'target.head.future': {
    means: 'The newest block is dated in the future.',
    look: 'A clock is wrong: of the node that made the block, or of the probe.',
  },
  'target.head.finality': {
    means: 'The finalized block has been too far behind the newest one for some minutes.',
    look: 'Finality of the chain itself is in trouble, or this node has lost the peers that vote.',
  },
  'target.head.upgrade': {
    means: 'An upgrade of the protocol is ahead that this node does not support: it will stop there.',
    look: 'Install the newer version before the round that the detail names.',
  },
  'target.head.stopped': {
    means: 'The node has stopped for good at a protocol upgrade that it does not support.',
    look: 'Install the newer version; it goes on from where it stopped.',
  },
  'target.head.peers': {
    means: 'The node has fewer peers than it needs to follow the chain.',
    look: 'Look at its network: firewall, port forwarding, bootnodes; and whether it was banned by its peers.',
  },
  'target.head.plugins': {
    means: 'An API that users of this node need is missing: a plugin is not loaded.',
    look: "Compare the node's plugins and api-access with those of the other nodes.",
  },
  'target.head.index': {
    means: 'The indexer says that it is not well: no database, migrating, or errors of its own.',
    look: "The detail has what it said; look at the indexer's log and its database.",
  },
};
