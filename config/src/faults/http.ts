/** Faults of the HTTP exchange. */
import type { FaultMeanings } from './meaning.ts';

export const httpFaults: FaultMeanings = {
  'target.http.timeout': {
    means: 'The connection was made, but the answer did not come before the deadline.',
    look: 'The server hangs, is overloaded, or waits for its own backend.',
    causes: [
      'the server is overloaded: CPU, disk or workers',
      'it waits for a backend or database that hangs',
      'a query that is too expensive for the deadline',
    ],
  },
  'target.http.reset': {
    means: 'The connection was closed before the answer was complete.',
    look: 'The process died while answering, or a proxy gave up.',
    causes: [
      'the process crashed or was killed (out of memory) while answering',
      'the proxy gave up on its backend',
      'a restart or deployment just then',
      'an idle limit shorter than the answer takes',
    ],
  },
  'target.http.protocol': {
    means: 'The answer is not valid HTTP.',
    look: 'Does something else listen on that port?',
    causes: [
      'another service listens on that port',
      'TLS is spoken there, and plain HTTP was asked, or the other way round',
      'a proxy that mixes up answers',
    ],
  },
  'target.http.headers': {
    means: 'The headers of the answer are larger than allowed.',
    look: 'Something in front of the server adds headers without end.',
    causes: ['a loop of proxies that each add headers', 'cookies or policies that grow without end'],
  },
  'target.http.too-large': {
    means: 'The answer is larger than this check reads.',
    look: 'The wrong path, or a server that sends without end.',
    causes: [
      'the wrong path: a page or a dump in place of the answer',
      'a list that has grown without limit',
      'maxBytes of the check is too small for a good answer',
    ],
  },
  'target.http.encoding': {
    means: 'The answer is compressed although that was refused.',
    look: 'A proxy compresses regardless of Accept-Encoding.',
    causes: [
      'a proxy or CDN that compresses everything',
      'a file that is stored compressed and served as it is',
    ],
  },
  'target.http.redirect': {
    means: 'The server redirects, and this check does not follow.',
    look: 'Use the address it redirects to, or allow redirects.',
    causes: [
      'from http to https, or to another host or path',
      'a login or a consent page before the answer',
      'a maintenance page',
    ],
  },
  'target.http.status': {
    means: 'The HTTP status is not one of those expected.',
    look: 'The detail has the status: 401 is access, 404 the path, 5xx the server or its backend.',
    causes: [
      '5xx: the backend behind the proxy is down or hangs',
      '401: a key is missing or wrong',
      '404: the wrong path',
    ],
  },
  'target.http.refused': {
    means: 'The server refuses this client: a rate limit (429) or a ban (403).',
    look: "Allow the probe's address, or ask less often; refusals: skip where the server is not yours.",
    causes: [
      'this address asks too often, or others share it (NAT, cloud)',
      'a firewall (WAF, CDN) takes the probe for a bot',
      'a key or a permission is missing',
      'the plan at the provider is used up',
    ],
  },
  'target.http.wrong-header': {
    means: 'A header of the answer is not what this check expects.',
    look: 'The detail has the header, what was expected and what came.',
    causes: [
      'another server or another version answers',
      'a proxy or CDN that takes headers away or changes them',
      'an error page: its type is text/html',
      'a redirect that leads elsewhere than before',
    ],
  },
  'target.http.body': {
    means: 'The answer does not contain what this check expects.',
    look: 'An error page with a good status, or another version of the service.',
    causes: [
      'an error or maintenance page with status 200',
      'another version of the service, whose text has changed',
      'another service at this address',
    ],
  },
  'target.http.slow': {
    means: 'The answer was good but came more slowly than its limit.',
    look: 'Load, the network between, or an expensive page; the phases show which.',
    causes: [
      'the server is under load',
      'an expensive page or query',
      'a cache that was emptied',
      'the network between',
    ],
  },
};
