/** Faults of WebSockets. */
import type { FaultMeanings } from './meaning.ts';

export const wsFaults: FaultMeanings = {
  'target.ws.upgrade': {
    means: 'The server did not open a WebSocket: it answered the upgrade with another status.',
    look: 'The wrong path, a proxy that does not pass Upgrade headers, or a limit on connections.',
    causes: [
      'the wrong path or port: HTTP without WebSocket',
      'a proxy that does not pass Upgrade and Connection',
      'a limit on connections',
      '401: a key is asked for',
    ],
  },
  'target.ws.refused': {
    means: 'The server refuses this client: a rate limit (429), a ban (403), or a close by policy (1008).',
    look: "Allow the probe's address, or ask less often; refusals: skip where the server is not yours.",
    causes: [
      'a limit on requests or connections of one address',
      'a firewall (WAF, CDN) takes the probe for a bot',
      'a key or an origin is asked for',
    ],
  },
  'target.ws.timeout': {
    means: 'The WebSocket is open, but what was asked on it was not answered before the deadline.',
    look: 'The server behind the proxy hangs, or accepts connections without serving them.',
    causes: [
      'the backend behind the proxy hangs',
      'the node is overloaded',
      'another protocol is spoken on it than was asked',
    ],
  },
  'target.ws.closed': {
    means: 'The WebSocket was closed before the answer came.',
    look: 'The detail has the close code: 1006 is a connection cut off, 1013 an overload, 1011 an error of the server.',
    causes: [
      'the node or the proxy was restarted',
      'a limit on connections, messages or time',
      'the node died on the request',
      'a message that it does not take',
    ],
  },
  'target.ws.protocol': {
    means: 'What came over the WebSocket is not valid: frames, masking, text encoding or subprotocol.',
    look: 'Does something else listen on that port? Does a proxy alter the stream?',
    causes: [
      'another service listens on that port',
      'a proxy that alters the stream',
      'a subprotocol that the server does not know',
    ],
  },
  'target.ws.too-large': {
    means: 'A message was larger than this check reads, or more came than it keeps.',
    look: 'A subscription that sends more than was asked for, or a server that sends without end.',
    causes: [
      'blocks or events that are larger than maxBytes',
      'a subscription to more than was meant',
      'a server that sends without end',
    ],
  },
  'target.ws.subscription': {
    means: 'The subscription was refused or not acknowledged as it should be.',
    look: 'Is the subscription API enabled on this node and let through by the proxy?',
    causes: [
      'subscriptions are not enabled on this node or plan',
      'a proxy that lets only some methods through',
      'a limit on subscriptions',
      'the subscription is on another port',
    ],
  },
  'target.ws.silent': {
    means: 'The WebSocket is open but pushes no blocks, although the node has newer ones.',
    look: 'A load balancer holds on to a dead backend, or the node has dropped its subscribers.',
    causes: [
      'a load balancer that holds on to a dead backend',
      'the node has dropped its subscribers after a restart or reorganisation',
      'a proxy that buffers or drops quiet connections',
    ],
  },
  'target.ws.gap': {
    means: 'Blocks were missing between those pushed over the WebSocket.',
    look: 'The node or a proxy drops messages under load.',
    causes: [
      'the node sends faster than its buffer for subscribers empties',
      'a proxy that drops messages under load',
      'the node imported many blocks at once after a pause',
    ],
  },
  'target.ws.dropped': {
    means: 'The long-lived WebSocket is closed again and again.',
    look: 'Timeouts of the proxies on the way, limits per connection, or a server that restarts.',
    causes: [
      'an idle or total time limit of a proxy',
      'a limit on connections per address',
      'a node that restarts again and again',
    ],
  },
  'target.ws.unexpected': {
    means: 'A message of the script was not answered with what this check expects.',
    look: 'The detail has the step, what was expected and what came.',
    causes: [
      'the server answers with an error',
      'another version that answers in another form',
      'the script no longer fits the server',
    ],
  },
  'target.ws.slow': {
    means: 'The WebSocket answered more slowly than its limit.',
    look: 'Load, the network between, or many subscribers.',
    causes: ['the server is under load', 'many subscribers', 'the network between'],
  },
};
