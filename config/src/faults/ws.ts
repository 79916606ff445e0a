/** Faults of WebSockets. */
import type { FaultMeanings } from './meaning.ts';

export const wsFaults: FaultMeanings = {
  'target.ws.upgrade': {
    means: 'The server did not open a WebSocket: it answered the upgrade with another status.',
    look: 'The wrong path, a proxy that does not pass Upgrade headers, or a limit on connections.',
  },
  'target.ws.timeout': {
    means: 'The WebSocket is open, but what was asked on it was not answered before the deadline.',
    look: 'The server behind the proxy hangs, or accepts connections without serving them.',
  },
  'target.ws.closed': {
    means: 'The WebSocket was closed before the answer came.',
    look: 'The detail has the close code: 1006 is a connection cut off, 1008 and 1013 a policy or a limit, 1011 an error of the server.',
  },
  'target.ws.protocol': {
    means: 'What came over the WebSocket is not valid: frames, masking, text encoding or subprotocol.',
    look: 'Does something else listen on that port? Does a proxy alter the stream?',
  },
  'target.ws.too-large': {
    means: 'A message was larger than this check reads, or more came than it keeps.',
    look: 'A subscription that sends more than was asked for, or a server that sends without end.',
  },
  'target.ws.subscription': {
    means: 'The subscription was refused or not acknowledged as it should be.',
    look: 'Is the subscription API enabled on this node and let through by the proxy?',
  },
  'target.ws.silent': {
    means: 'The WebSocket is open but pushes no blocks, although the node has newer ones.',
    look: 'A load balancer holds on to a dead backend, or the node has dropped its subscribers.',
  },
  'target.ws.gap': {
    means: 'Blocks were missing between those pushed over the WebSocket.',
    look: 'The node or a proxy drops messages under load.',
  },
  'target.ws.dropped': {
    means: 'The long-lived WebSocket is closed again and again.',
    look: 'Timeouts of the proxies on the way, limits per connection, or a server that restarts.',
  },
  'target.ws.unexpected': {
    means: 'A message of the script was not answered with what this check expects.',
    look: 'The detail has the step, what was expected and what came.',
  },
  'target.ws.slow': {
    means: 'The WebSocket answered more slowly than its limit.',
    look: 'Load, the network between, or many subscribers.',
  },
};
