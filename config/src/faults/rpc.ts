/** Faults of JSON-RPC answers. */
import type { FaultMeanings } from './meaning.ts';

export const rpcFaults: FaultMeanings = {
  'target.rpc.json': {
    means: 'The answer is not JSON.',
    look: 'An error page of a proxy, or the wrong path.',
  },
  'target.rpc.shape': {
    means: 'The answer is JSON but no JSON-RPC answer: neither result nor error, or both.',
    look: 'Does another service answer at this path?',
  },
  'target.rpc.id': {
    means: 'The answer carries another id than the request.',
    look: 'A proxy or cache mixes up answers: users may be getting each other’s results.',
  },
  'target.rpc.error': {
    means: 'The node answered with a JSON-RPC error.',
    look: "The detail has its code and message; the node's log has the cause.",
  },
  'target.rpc.method': {
    means: 'The node does not offer this method.',
    look: 'Enable the API module, or drop the method from the check.',
  },
  'target.rpc.limit': {
    means: 'The node refused because of a rate limit.',
    look: "Raise the limit for the probe's address, or ask less often.",
  },
  'target.rpc.result': {
    means: 'The result is not of the form or value expected.',
    look: 'The detail says what was expected and what came.',
  },
  'target.rpc.slow': {
    means: 'A method answered more slowly than its limit.',
    look: 'Load, disk, or an expensive query; other methods show whether it is the whole node.',
  },
};
