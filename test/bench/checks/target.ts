/** What is asked: servers in a process of their own, which answer at once. `target.ts` runs as that process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificates } from '../../../probe/testing/certificates.ts';

/** Of each: enough that no port of ours has to be used again within the seconds in which that costs a search. */
const serverCount = 8;

export interface Target extends Disposable {
  readonly http: readonly string[];
  readonly https: readonly string[];
  /** PEM of the CA of the https servers. */
  readonly ca: string;
}

/** They answer GET with `ok` and POST with the result `0x10` of the JSON-RPC call in its body. */
export async function startTarget(): Promise<Target> {
  const child = fork(new URL(import.meta.url));
  const [started] = (await once(child, 'message')) as [Pick<Target, 'http' | 'https' | 'ca'>];
  return { ...started, [Symbol.dispose]: () => void child.kill() };
}

const answer: RequestListener = (request, response) => {
  if (request.method === 'GET') return void response.end('ok');
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const { id } = JSON.parse(body) as { id: unknown };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: '0x10' }));
  });
};

async function listening(server: ReturnType<typeof createServer>, scheme: string): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

if (import.meta.main) {
  const { ca, good } = makeCertificates();
  const many = Array.from({ length: serverCount });
  const [http, https] = await Promise.all([
    Promise.all(many.map(() => listening(createServer(answer), 'http'))),
    Promise.all(many.map(() => listening(createTlsServer(good, answer), 'https'))),
  ]);
  process.send?.({ http, https, ca });
  process.on('disconnect', () => process.exit());
}
