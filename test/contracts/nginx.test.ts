/** The kinds http, tcp and websocket against a real nginx: what it says, and what it does when it does not want to. */
import { createSecureContext } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Defects, makeDefects } from '../../probe/testing/chains-of-trust.ts';
import { testCheck, testHouse, verdictOf } from '../../probe/testing/check.ts';
import type { House } from '../../probe/src/observe.ts';
import type { Observation } from '@highwater/config/domain.ts';
import { formatLine } from '@highwater/config/proof/line.ts';
import { missing, type Nginx, startNginx } from '../fixtures/nginx.ts';

if (missing !== undefined) {
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(`${missing}; without it http and tcp are not tried on a real server`);
}

const mebibyte = 1_048_576;
const statuses = [200, 201, 204, 400, 401, 404, 405, 410, 418, 451, 500, 502, 503, 504];

const config = (twenty: string) => `
limit_req_zone $uri zone=once:1m rate=1r/m;
keepalive_timeout 5s;
server {
  listen 127.0.0.1:PORT; listen 127.0.0.1:OTHER ssl; root DIR; server_name localhost;
  ssl_certificate DIR/good.pem; ssl_certificate_key DIR/good.key; ssl_protocols TLSv1.2 TLSv1.3;
  location = /ok { default_type text/plain; return 200 "all ok\\n"; }
  location = /json { default_type application/json; add_header X-A 12; return 200 '{"status":"green","height":"18446744073709551615","nodes":[1,2,3]}'; }
  ${statuses.map((status) => `location = /status/${status} { return ${status} ""; }`).join('\n  ')}
  location = /to { return 301 /ok; }
  location = /to-other { return 302 https://localhost:OTHER/ok; }
  location = /to-plain { return 302 http://localhost:PORT/ok; }
  location = /loop { return 308 /loop; }
  location = /far { return 307 /far/1; }
  location = /far/1 { return 307 /far/2; }
  location = /far/2 { return 307 /ok; }
  location = /gzip { gzip on; gzip_types *; gzip_min_length 1; default_type text/plain; return 200 "all ok\\n"; }
  location = /stored { gzip_static always; default_type text/plain; }
  location = /chunked.txt { ssi on; ssi_types *; }
  location = /until-end.txt { ssi on; ssi_types *; chunked_transfer_encoding off; }
  location = /closing { keepalive_timeout 0; return 200 "all ok\\n"; }
  location = /headers { ${twenty} return 200 "ok"; }
  location = /limited { limit_req zone=once; limit_req_status 429; try_files /chunked.txt =404; }
  location = /limited-by-default { limit_req zone=once; try_files /chunked.txt =404; }
  location = /banned { deny all; }
  location = /silent { return 444; }
  location = /secret { auth_basic "x"; auth_basic_user_file DIR/users; try_files /chunked.txt =404; }
  location = /echo { client_max_body_size 1k; default_type text/plain; return 200 "$request_method $content_type $content_length $http_x_check"; }
  location = /slow { limit_rate 1k; alias DIR/fits; }
}
server { listen 127.0.0.1:PORT; server_name other.example; return 200 "the other, $host"; }
server {
  listen 127.0.0.1:OTHER ssl; server_name other.example; return 200 "the other, $host over TLS";
  ssl_certificate DIR/other.pem; ssl_certificate_key DIR/other.key;
}
`;

let nginx: Nginx;
let house: House;

async function start(): Promise<void> {
  const made: Defects = makeDefects();
  nginx = await startNginx({
    config: config(
      Array.from({ length: 20 }, (_, i) => `add_header X-${i} "${'x'.repeat(1_000)}";`).join(' '),
    ),
    files: {
      'good.pem': made.good.cert,
      'good.key': made.good.key,
      'other.pem': made.wrongHost.cert,
      'other.key': made.wrongHost.key,
      'stored.gz': gzipSync('all ok'),
      'chunked.txt': 'all <!--# echo var="none" default="ok" -->',
      'until-end.txt': 'all <!--# echo var="none" default="ok" -->',
      fits: Buffer.alloc(mebibyte, 'x'),
      big: Buffer.alloc(mebibyte + 1, 'x'),
      users: 'me:{PLAIN}secret\n',
    },
  });
  house = {
    ...testHouse,
    outside: { ...testHouse.outside, secureContext: createSecureContext({ ca: made.root }) },
  };
}

interface Options {
  readonly scheme?: string;
  readonly timeoutMs?: number;
  readonly target?: object;
}

/** One check; `refusals` and what the target has beside its URL are put in. */
async function look(
  kind: string,
  path: string,
  settings: object = {},
  { scheme = 'http', timeoutMs = 5_000, target = {} }: Options = {},
): Promise<Observation> {
  const port = /^(https|wss)$/.test(scheme) ? nginx.otherPort : nginx.port;
  using check = testCheck(kind, `${scheme}://localhost:${port}${path}`, settings, { house, timeoutMs });
  Object.assign(check.prepared.monitor.target, target);
  const seen = await check.run();
  formatLine(seen);
  return seen;
}

const at = async (path: string, settings: object = {}, options: Options = {}) =>
  verdictOf(await look('http', path, settings, options));

describe.skipIf(missing !== undefined)('nginx', () => {
  beforeAll(start);
  afterAll(() => nginx[Symbol.asyncDispose]());

  describe('over HTTP', () => {
    it.each(statuses)('status %d: good where it is wanted, else a fault', async (status) => {
      const seen = await look('http', `/status/${status}`, { status });
      expect([verdictOf(seen), seen.facts['sc']]).toEqual(['ok', String(status)]);
      const isGood = status < 300;
      expect(await at(`/status/${status}`)).toBe(isGood ? 'ok' : 'fail target.http.status');
    });

    it.each<[string, object, string]>([
      ['/ok', { contains: 'all', matches: '^all ok\\n$', lacks: 'error' }, 'ok'],
      ['/ok', { contains: 'none' }, 'fail target.http.body'],
      ['/ok', { responseHeaders: { server: { matches: '^nginx/' }, 'content-type': 'text/plain' } }, 'ok'],
      ['/ok', { responseHeaders: { 'x-a': '12' } }, 'fail target.http.wrong-header'],
      ['/ok', { method: 'HEAD', responseHeaders: { 'content-length': '7' } }, 'ok'],
      ['/big', { method: 'HEAD' }, 'ok'],
      [
        '/json',
        {
          responseHeaders: { 'X-A': '12' },
          json: {
            status: { matches: '^(green|yellow)$' },
            height: { min: '18446744073709551615', max: '18446744073709551615' },
            nodes: { length: { min: 3 } },
            error: { exists: false },
          },
        },
        'ok',
      ],
      ['/json', { json: { height: { max: '18446744073709551614' } } }, 'fail target.http.body'],
      ['/fits', {}, 'ok'],
      ['/big', {}, 'fail target.http.too-large'],
      ['/big', { maxBytes: mebibyte + 1 }, 'ok'],
      ['/chunked.txt', { contains: 'all ok', responseHeaders: { 'transfer-encoding': 'chunked' } }, 'ok'],
      ['/chunked.txt', { maxBytes: 5 }, 'fail target.http.too-large'],
      ['/until-end.txt', { contains: 'all ok', responseHeaders: { connection: 'close' } }, 'ok'],
      ['/until-end.txt', { maxBytes: 5 }, 'fail target.http.too-large'],
      ['/closing', { contains: 'all ok', responseHeaders: { connection: 'close' } }, 'ok'],
      // Compression is refused, and this one heeds it; the stored one does not.
      ['/gzip', { contains: 'all ok', responseHeaders: { 'content-encoding': { exists: false } } }, 'ok'],
      ['/stored', {}, 'fail target.http.encoding'],
      ['/headers', {}, 'fail target.http.headers'],
      ['/silent', {}, 'fail target.http.reset'],
      ['/secret', {}, 'fail target.http.status'],
      ['/to', {}, 'fail target.http.redirect'],
      ['/to', { redirects: 1, contains: 'all ok' }, 'ok'],
      [
        '/to',
        { status: '300-399', responseHeaders: { location: { matches: '^http://localhost:[0-9]+/ok$' } } },
        'ok',
      ],
      ['/loop', { redirects: 3 }, 'fail target.http.redirect'],
      ['/far', { redirects: 3, contains: 'all ok' }, 'ok'],
      ['/far', { redirects: 2 }, 'fail target.http.redirect'],
      ['/to-other', { redirects: 1, contains: 'all ok' }, 'ok'],
      [
        '/echo',
        {
          method: 'POST',
          body: 'a=1',
          headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Check': 'yes' },
          contains: 'POST application/x-www-form-urlencoded 3 yes',
        },
        'ok',
      ],
      ['/echo', { method: 'POST', body: 'x', contains: 'POST application/json 1' }, 'ok'],
      ['/ok', { path: '/none', status: 404, contains: 'nginx' }, 'ok'],
    ])('%s with %j: %s', async (path, settings, expected) => {
      expect(await at(path, settings)).toBe(expected);
    });

    it('with a user and a password', async () => {
      const headers = { authorization: `Basic ${Buffer.from('me:secret').toString('base64')}` };
      expect(await at('/secret', {}, { target: { headers } })).toBe('ok');
    });

    it('slower than the deadline, in the middle of the body', async () => {
      const seen = await look('http', '/slow', {}, { timeoutMs: 500 });
      expect(verdictOf(seen)).toBe('fail target.http.timeout');
      expect(seen.phases?.transfer).toBeGreaterThan(seen.phases?.firstByte ?? Infinity);
    });

    it('with a limit on requests: a refusal, unless it answers as nginx does by default', async () => {
      expect(await at('/limited')).toBe('ok');
      expect(await at('/limited')).toBe('fail target.http.refused');
      expect(await at('/limited-by-default')).toBe('ok');
      expect(await at('/limited-by-default')).toBe('fail target.http.status');
      expect(await at('/banned')).toBe('fail target.http.refused');
    });

    it('at another port of its host', async () => {
      expect(
        await at(
          '',
          { port: nginx.port, path: '/ok', contains: 'all ok' },
          { target: { url: 'http://localhost:1' } },
        ),
      ).toBe('ok');
    });

    it('with another name on the same address: asked there by its own name', async () => {
      const target = { url: `http://other.example:${nginx.port}`, address: '127.0.0.1' };
      expect(await at('/', { contains: 'the other, other.example' }, { target })).toBe('ok');
    });
  });

  describe('over HTTPS', () => {
    const scheme = 'https';
    it('with a good certificate, whose end is told', async () => {
      const seen = await look('http', '/ok', {}, { scheme });
      expect(verdictOf(seen)).toBe('ok');
      expect(seen.facts).toHaveProperty('ce');
      expect(seen.phases?.tls).toBeGreaterThan(0);
    });

    it('never follows to where nothing is encrypted', async () => {
      expect(await at('/to-plain', { redirects: 1 }, { scheme })).toBe('fail target.http.redirect');
    });

    it('picks the certificate by the name that is sent', async () => {
      const target = { url: `https://other.example:${nginx.otherPort}`, address: '127.0.0.1' };
      const found = await look('http', '/', { contains: 'the other' }, { scheme, target });
      expect(verdictOf(found)).toBe('ok');
      expect(verdictOf(await look('tls', '/', {}, { scheme, target }))).toBe('ok');
      const nobody = { url: `https://nobody.example:${nginx.otherPort}`, address: '127.0.0.1' };
      expect(verdictOf(await look('tls', '/', {}, { scheme, target: nobody }))).toBe(
        'fail target.tls.wrong-host',
      );
    });

    it('asked without TLS: it says so in a page', async () => {
      const target = { url: `http://localhost:${nginx.otherPort}/ok` };
      expect(await at('/ok', {}, { target })).toBe('fail target.http.status');
      expect(await at('/ok', { status: 400, contains: 'plain HTTP request' }, { target })).toBe('ok');
    });

    it('asked with TLS where there is none', async () => {
      const target = { url: `https://localhost:${nginx.port}/ok` };
      expect(await at('/ok', {}, { target })).toBe('fail target.tls.handshake');
    });
  });

  describe('over TCP', () => {
    const request = (path: string) => `GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`;
    it.each<[object, string, string]>([
      [{}, 'http', 'ok'],
      [{ send: request('/ok'), expect: { contains: 'all ok' } }, 'http', 'ok'],
      [{ send: request('/ok'), expect: { matches: '^HTTP/1\\.1 200 OK\\r\\n' } }, 'http', 'ok'],
      [{ send: request('/ok'), expect: { contains: 'all ok' }, tls: true }, 'https', 'ok'],
      [{ send: request('/ok'), expect: { contains: 'none' } }, 'http', 'fail target.tcp.unexpected'],
      [{ send: request('/silent'), expect: { contains: '200' } }, 'http', 'fail target.tcp.closed'],
      [{ send: request('/big'), expect: { contains: 'none' } }, 'http', 'fail target.tcp.too-large'],
      [{ send: 'EHLO me\r\n\r\n', expect: { contains: '400 Bad Request' } }, 'http', 'ok'],
      [{ send: request('/ok'), expect: { contains: 'plain HTTP request' } }, 'https', 'ok'],
    ])('with %j over %s: %s', async (settings, scheme, expected) => {
      expect(verdictOf(await look('tcp', '', settings, { scheme }))).toBe(expected);
    });

    it('it says nothing by itself', async () => {
      const seen = await look('tcp', '', { expect: { contains: '220' } }, { timeoutMs: 300 });
      expect(verdictOf(seen)).toBe('fail target.tcp.timeout');
    });
  });

  describe('over WebSocket, which it is not set up for', () => {
    it.each([
      ['/ok', 'fail target.ws.upgrade'],
      ['/banned', 'fail target.ws.refused'],
      ['/silent', 'fail target.http.reset'],
    ])('%s: %s', async (path, expected) => {
      expect(verdictOf(await look('websocket', path, {}, { scheme: 'ws' }))).toBe(expected);
    });
  });
});
