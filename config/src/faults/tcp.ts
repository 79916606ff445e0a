/** Faults of what is said over a bare connection. */
import type { FaultMeanings } from './meaning.ts';

export const tcpFaults: FaultMeanings = {
  'target.tcp.closed': {
    means: 'The connection was made, then closed or cut off before what is expected came.',
    look: 'A proxy without backends, a limit on connections, or TLS where plain text is spoken, or the other way round.',
  },
  'target.tcp.timeout': {
    means: 'The connection was made, but what is expected did not come before the deadline.',
    look: 'The detail has what came instead, if anything: the server hangs, or speaks another protocol.',
  },
  'target.tcp.unexpected': {
    means: 'The server has said all that it had to say, and it was not what this check expects.',
    look: 'The detail has what came: an error message, or another service on that port.',
  },
  'target.tcp.too-large': {
    means: 'More came than this check reads, without what it expects.',
    look: 'Another service on that port, or a server that sends without end.',
  },
  'target.tcp.slow': {
    means: 'The connection, or the answer on it, was good but came more slowly than its limit.',
    look: 'Load, or the network between; the phases show which.',
  },
};
