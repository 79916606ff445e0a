/** Faults of JSON-RPC answers. */
import type { FaultMeanings } from './meaning.ts';

export const rpcFaults: FaultMeanings = {
  'target.rpc.json': {
    means: 'The answer is not JSON.',
    look: 'An error page of a proxy, or the wrong path.',
    causes: [
      'an error page of a proxy in place of the answer',
      'the wrong path',
      'an answer that was cut off',
    ],
  },
  'target.rpc.shape': {
    means: 'The answer is JSON but no JSON-RPC answer: neither result nor error, or both.',
    look: 'Does another service answer at this path?',
    causes: [
      'another service answers at this path',
      'a REST API was asked with JSON-RPC',
      'a proxy with an error format of its own',
    ],
  },
  'target.rpc.id': {
    means: 'The answer carries another id than the request.',
    look: 'A proxy or cache mixes up answers: users may be getting each other’s results.',
    causes: [
      'a cache before the node that ignores the id',
      'a proxy that mixes up answers of several users',
      'an answer to a request that it could not read',
    ],
  },
  'target.rpc.error': {
    means: 'The node answered with a JSON-RPC error.',
    look: "The detail has its code and message; the node's log has the cause.",
    causes: [
      'what is asked for is not there: pruned, or not yet there',
      'an internal error of the node: disk, database',
      'parameters that this version does not take',
      'a node that still starts',
    ],
  },
  'target.rpc.method': {
    means: 'The node does not offer this method.',
    look: 'Enable the API module, or drop the method from the check.',
    causes: [
      'the API module is not enabled on this node',
      'a proxy that lets only some methods through',
      'the node is of another family',
      'a version that has dropped or not yet has it',
    ],
  },
  'target.rpc.limit': {
    means: 'The node refused because of a rate limit.',
    look: "Raise the limit for the probe's address, or ask less often.",
    causes: [
      'this address or key asks too often',
      'others share the address (NAT, cloud)',
      'the plan at the provider is used up',
    ],
  },
  'target.rpc.result': {
    means: 'The result is not of the form or value expected.',
    look: 'The detail says what was expected and what came.',
    causes: [
      'another version with another form of answer',
      'the node has no such data (yet), or has pruned it',
      'the node is on another chain or fork',
      'what the check expects is out of date',
    ],
  },
  'target.rpc.slow': {
    means: 'A method answered more slowly than its limit.',
    look: 'Load, disk, or an expensive query; other methods show whether it is the whole node.',
    causes: [
      'the node is under load from other users',
      'a slow or full disk',
      'an expensive query, such as over many blocks',
      'the node catches up, or compacts its database',
    ],
  },
};
