/** Faults of what a node says of the chain's head. */
import type { FaultMeanings } from './meaning.ts';

export const headFaults: FaultMeanings = {
  'target.head.chain': {
    means: 'The node serves another chain: its chain id is not the one configured.',
    look: 'It was started with the wrong network, or the address points to another node.',
    causes: [
      'the address leads to a node of another network',
      'the node was started with the wrong network',
      'the wrong chain in the config',
    ],
  },
  'target.head.genesis': {
    means: 'The node serves another chain: its genesis is not the one configured.',
    look: 'It was started with the wrong network, or the address points to another node. With the right chain id it is a fork or a private network, or its data folder was wiped.',
    causes: [
      'the address leads to a node of another network',
      'the node was started with the wrong network or an empty data folder',
      'a fork or private network with the same chain id',
      'the wrong genesis in the config',
    ],
  },
  'target.head.old': {
    means: 'The newest block is older than allowed: the node answers but its head stands still.',
    look: 'Has the node lost its peers, is it out of disk, or is the chain itself stalled?',
    causes: [
      'the node has lost its peers or its consensus client',
      'the node has stopped importing: disk full, database broken',
      'it missed an upgrade and stays behind at the fork',
      'the chain itself stands still',
    ],
  },
  'target.head.syncing': {
    means: 'The node says that it is still syncing.',
    look: 'Wait until it has caught up; if it never does, look at peers and disk.',
    causes: [
      'it was restarted or restored a while ago and catches up',
      'its disk is too slow to keep up',
      'too few peers to catch up from',
    ],
  },
  'target.head.future': {
    means: 'The newest block is dated in the future.',
    look: 'A clock is wrong: of the node that made the block, or of the probe.',
    causes: [
      "the clock of the block's maker is ahead",
      'the clock of the probe is behind',
      'a test network with made-up times',
    ],
  },
  'target.head.finality': {
    means: 'The finalized block has been too far behind the newest one for some minutes.',
    look: 'Finality of the chain itself is in trouble, or this node has lost the peers that vote.',
    causes: [
      'validators of the chain are offline or disagree',
      'the node has lost the peers that send votes',
      'the finality gadget or consensus client of the node has stopped',
    ],
  },
  'target.head.upgrade': {
    means: 'An upgrade of the protocol is ahead that this node does not support: it will stop there.',
    look: 'Install the newer version before the round that the detail names.',
    causes: ['the newer version is out, but is not installed here', 'the automatic update did not run'],
  },
  'target.head.stopped': {
    means: 'The node has stopped for good at a protocol upgrade that it does not support.',
    look: 'Install the newer version; it goes on from where it stopped.',
    causes: ['the newer version was not installed before the upgrade', 'the automatic update did not run'],
  },
  'target.head.peers': {
    means: 'The node has fewer peers than it needs to follow the chain.',
    look: 'Look at its network: firewall, port forwarding, bootnodes; and whether it was banned by its peers.',
    causes: [
      'a firewall or a missing port forwarding',
      'bootnodes that are out of date',
      'it was banned by its peers: an old version, or a fork',
      'it has just been started',
    ],
  },
  'target.head.plugins': {
    means: 'An API that users of this node need is missing: a plugin is not loaded.',
    look: "Compare the node's plugins and api-access with those of the other nodes.",
    causes: [
      'the plugin is not named in the config of the node',
      'api-access does not let it through',
      'a build without this plugin',
    ],
  },
  'target.head.index': {
    means: 'The indexer says that it is not well: no database, migrating, or errors of its own.',
    look: "The detail has what it said; look at the indexer's log and its database.",
    causes: [
      'its database is down, full or migrating',
      'the node that it reads from is down or behind',
      'an error at one block that it cannot get past',
    ],
  },
};
