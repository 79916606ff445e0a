/** Health and metrics; a probe takes no orders here. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listener {
  readonly url: string;
  close(): Promise<void>;
}

/** Rejects with an Error that names the flag when the port is taken. */
export async function listen(
  host: string,
  port: number,
  answers: { health(): object; metrics(): Promise<string> },
): Promise<Listener> {
  const server: Server = createServer(
    { maxHeaderSize: 8_192, requestTimeout: 10_000 },
    (request, response) => {
      const send = (status: number, type: string, body: string) => {
        response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' });
        response.end(request.method === 'HEAD' ? undefined : body);
      };
      const path = (request.url ?? '').split('?')[0];
      if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'GET only\n');
      if (path === '/healthz') return send(200, 'application/json', `${JSON.stringify(answers.health())}\n`);
      if (path !== '/metrics') return send(404, 'text/plain', 'there are /healthz and /metrics\n');
      answers.metrics().then(
        (text) => send(200, 'text/plain; version=0.0.4; charset=utf-8', text),
        () => send(500, 'text/plain', 'no metrics\n'),
      );
    },
  );
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken =
        cause.code === 'EADDRINUSE' ? `port ${port} is in use; choose another with --port` : cause.message;
      reject(new Error(`the probe cannot listen on ${host}: ${taken}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
