/** Small real servers for tests, on free loopback ports. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server as HttpServer,
} from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Certificate } from './certificates.ts';

export interface Served {
  readonly port: number;
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a client that asks to upgrade gets, instead of the listener's answer. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export function serveHttp(
  listener: RequestListener,
  { upgrade, ...at }: { readonly upgrade?: Upgrade } & ListenAt = {},
): Promise<Served> {
  const server = createServer(listener);
  if (upgrade) server.on('upgrade', upgrade);
  return listening(server, 'http', at);
}

export function serveHttps(
  certificate: Certificate,
  listener: RequestListener,
  { upgrade }: { readonly upgrade?: Upgrade } = {},
): Promise<Served> {
  const server = createHttpsServer(certificate, listener);
  if (upgrade) server.on('upgrade', upgrade);
  return listening(server, 'https');
}

/** Speaks raw TCP: for answers that no HTTP server would give. */
export function serveTcp(onSocket: (socket: Socket) => void, at: ListenAt = {}): Promise<Served> {
  return listening(createTcpServer(onSocket), 'http', at);
}

/** Answers every request with the same bytes, then does as told with the connection. */
export function serveBytes(bytes: string | Buffer, then: 'end' | 'hold' | 'reset' = 'hold'): Promise<Served> {
  return serveTcp((socket) => {
    socket.once('data', () => {
      socket.write(bytes, () => {
        if (then === 'end') socket.end();
        if (then === 'reset') socket.resetAndDestroy();
      });
    });
  });
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const served = await serveTcp(() => undefined);
  await served[Symbol.asyncDispose]();
  return served.port;
}

/** A free port of 127.0.0.1 by default. */
export interface ListenAt {
  readonly host?: string;
  readonly port?: number;
}

/** Disposing it ends its connections. */
export async function listening(
  server: Server | HttpServer,
  scheme: string,
  { host = '127.0.0.1', port: wanted = 0 }: ListenAt = {},
): Promise<Served> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(wanted, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
