/** What is asked: servers in a process of their own, which answer at once. `target.ts` runs as that process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { type RawData, WebSocketServer } from 'ws';
import { makeCertificates } from '../../../probe/testing/certificates.ts';

/** Of each: enough that no port of ours has to be used again within the seconds in which that costs a search. */
const serverCount = 8;

export interface Target extends Disposable {
  readonly http: readonly string[];
  readonly https: readonly string[];
  readonly tcp: readonly string[];
  readonly ws: readonly string[];
  /** PEM of the CA of the https servers. */
  readonly ca: string;
}

/**
 * Those of HTTP answer GET with `ok` and POST with the result `0x10` of the JSON-RPC call in its body, those of WebSocket
 * each message in the same way, and those of TCP whatever comes with `PONG`.
 */
export async function startTarget(): Promise<Target> {
  const child = fork(new URL(import.meta.url));
  const [started] = (await once(child, 'message')) as [Omit<Target, typeof Symbol.dispose>];
  return { ...started, [Symbol.dispose]: () => void child.kill() };
}

const answer: RequestListener = (request, response) => {
  if (request.method === 'GET') return void response.end('ok');
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(replyTo(body));
  });
};

function replyTo(call: string): string {
  const { id } = JSON.parse(call) as { id: unknown };
  return JSON.stringify({ jsonrpc: '2.0', id, result: '0x10' });
}

function tcpServer(): Server {
  return createTcpServer((socket) => {
    // Whoever is done may end it as it likes.
    socket.on('error', () => undefined).on('data', () => socket.write('PONG\r\n'));
  });
}

function socketServer(): Server {
  const server = createServer();
  new WebSocketServer({ server }).on('connection', (link) => {
    link.on('error', () => undefined);
    link.on('message', (data: RawData) => link.send(replyTo((data as Buffer).toString())));
  });
  return server;
}

async function listening(server: Server, scheme: string): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

if (import.meta.main) {
  const { ca, good } = makeCertificates();
  const many = Array.from({ length: serverCount });
  const [http, https, tcp, ws] = await Promise.all([
    Promise.all(many.map(() => listening(createServer(answer), 'http'))),
    Promise.all(many.map(() => listening(createTlsServer(good, answer), 'https'))),
    Promise.all(many.map(() => listening(tcpServer(), 'tcp'))),
    Promise.all(many.map(() => listening(socketServer(), 'ws'))),
  ]);
  process.send?.({ http, https, tcp, ws, ca });
  process.on('disconnect', () => process.exit());
}
