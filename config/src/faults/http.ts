/** Faults of the HTTP exchange. */
import type { FaultMeanings } from './meaning.ts';

export const httpFaults: FaultMeanings = {
  'target.http.timeout': {
    means: 'The connection was made, but the answer did not come before the deadline.',
    look: 'The server hangs, is overloaded, or waits for its own backend.',
  },
  'target.http.reset': {
    means: 'The connection was closed before the answer was complete.',
    look: 'The process died while answering, or a proxy gave up.',
  },
  'target.http.protocol': {
    means: 'The answer is not valid HTTP.',
    look: 'Does something else listen on that port?',
  },
  'target.http.headers': {
    means: 'The headers of the answer are larger than allowed.',
    look: 'Something in front of the server adds headers without end.',
  },
  'target.http.too-large': {
    means: 'The answer is larger than this check reads.',
    look: 'The wrong path, or a server that sends without end.',
  },
  'target.http.encoding': {
    means: 'The answer is compressed although that was refused.',
    look: 'A proxy compresses regardless of Accept-Encoding.',
  },
  'target.http.redirect': {
    means: 'The server redirects, and this check does not follow.',
    look: 'Use the address it redirects to, or allow redirects.',
  },
  'target.http.status': {
    means: 'The HTTP status is not one of those expected.',
    look: 'The detail has the status: 401 and 403 are access, 404 the path, 429 a rate limit, 5xx the server or its backend.',
  },
  'target.http.body': {
    means: 'The answer does not contain what this check expects.',
    look: 'An error page with a good status, or another version of the service.',
  },
  'target.http.slow': {
    means: 'The answer was good but came more slowly than its limit.',
    look: 'Load, the network between, or an expensive page; the phases show which.',
  },
};
