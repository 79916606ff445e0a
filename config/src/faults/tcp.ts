/** Faults of what is said over a bare connection. */
import type { FaultMeanings } from './meaning.ts';

export const tcpFaults: FaultMeanings = {
  'target.tcp.closed': {
    means: 'The connection was made, then closed or cut off before what is expected came.',
    look: 'A proxy without backends, a limit on connections, or TLS where plain text is spoken, or the other way round.',
    causes: [
      'a proxy without healthy backends',
      'TLS where plain text is spoken, or the other way round',
      'a limit on connections or a list of addresses that may connect',
      'the process died',
    ],
  },
  'target.tcp.timeout': {
    means: 'The connection was made, but what is expected did not come before the deadline.',
    look: 'The detail has what came instead, if anything: the server hangs, or speaks another protocol.',
    causes: [
      'the server hangs or is overloaded',
      'it waits for the client to speak first',
      'the end of the line that it waits for (\\r\\n) is not sent',
    ],
  },
  'target.tcp.unexpected': {
    means: 'The server has said all that it had to say, and it was not what this check expects.',
    look: 'The detail has what came: an error message, or another service on that port.',
    causes: [
      'the server answers with an error message',
      'another service listens on that port',
      'a new version greets in other words',
    ],
  },
  'target.tcp.too-large': {
    means: 'More came than this check reads, without what it expects.',
    look: 'Another service on that port, or a server that sends without end.',
    causes: [
      'another service listens on that port',
      'the expected text is not in what it sends',
      'a server that sends without end',
    ],
  },
  'target.tcp.slow': {
    means: 'The connection, or the answer on it, was good but came more slowly than its limit.',
    look: 'Load, or the network between; the phases show which.',
    causes: [
      'the server is under load',
      'the network between is long or busy',
      'the server looks up the name of each client first',
    ],
  },
};
