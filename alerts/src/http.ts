/** Health, metrics and the list of what is being told. Nothing can be written here. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isLoopback } from './loopback.ts';

export interface Views {
  health(): unknown;
  alerts(): unknown;
  metrics(): Promise<{ readonly type: string; readonly body: string }>;
}

/** Listens; rejects with an Error that names the flag when the port is taken or the binding is unsafe. */
export async function listen(
  views: Views,
  host: string,
  port: number,
  token: string | undefined,
): Promise<Server> {
  const wide = !isLoopback(host);
  if (wide && token === undefined) {
    throw new Error(
      `alerts would listen on ${host}, reachable from elsewhere, without a token; set HIGHWATER_TOKEN or HIGHWATER_TOKEN_FILE, or give --bind 127.0.0.1`,
    );
  }
  const server = createServer((request, response) => {
    answer(views, wide ? token : undefined, request, response).catch(() => {
      if (!response.headersSent) reply(response, 500, 'text/plain', 'internal error\n');
      else response.destroy();
    });
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `port ${port} on ${host} is in use; choose another with --port (0 takes any free one)`;
      reject(error.code === 'EADDRINUSE' ? new Error(taken, { cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });
  return server;
}

async function answer(
  views: Views,
  token: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return reply(response, 405, 'text/plain', 'only GET\n');
  }
  if (path === '/healthz') return json(response, 200, views.health());
  if (token !== undefined && !bears(request, token)) {
    response.setHeader('www-authenticate', 'Bearer');
    return json(response, 401, { error: 'a token is needed', remedy: 'send Authorization: Bearer TOKEN' });
  }
  if (path === '/v1/alerts') return json(response, 200, views.alerts());
  if (path === '/metrics') {
    const { type, body } = await views.metrics();
    return reply(response, 200, type, body);
  }
  json(response, 404, { error: 'not found', remedy: 'there are /healthz, /metrics and /v1/alerts' });
}

function bears(request: IncomingMessage, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));
}

function json(response: ServerResponse, status: number, body: unknown): void {
  reply(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
