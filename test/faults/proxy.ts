/** Stands between probes and collector, sees each request and its answer, and can strike in between. */
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly status: number;
}

export interface Proxy extends AsyncDisposable {
  readonly url: string;
  /** Nothing gets through, also of what was asked before. */
  isCut: boolean;
  /** Called when a write has begun: its body has been read and is about to go on. */
  onWrite: ((path: string, forwarded: Promise<void>) => void) | undefined;
  /** Called with every answer, as the collector gave it. */
  onAnswer: ((seen: Seen) => void) | undefined;
}

export async function startProxy(collectorUrl: string): Promise<Proxy> {
  const upstream = new URL(collectorUrl);
  const server = createServer((incoming, answer) => {
    if (proxy.isCut) return void answer.destroy();
    void (async () => {
      const body = await read(incoming);
      const path = incoming.url ?? '/';
      const method = incoming.method ?? 'GET';
      const { promise: forwarded, resolve: markForwarded } = Promise.withResolvers<void>();
      if (method === 'POST') proxy.onWrite?.(path, forwarded);
      const onward = httpRequest({
        host: upstream.hostname,
        port: upstream.port,
        method,
        path,
        headers: { ...incoming.headers, host: upstream.host, connection: 'close' },
        agent: false,
      });
      onward.on('error', () => answer.destroy());
      onward.on('response', (reply) => {
        void read(reply)
          .then((text) => {
            if (proxy.isCut) return void answer.destroy();
            proxy.onAnswer?.({ method, path, body, status: reply.statusCode ?? 0 });
            answer.writeHead(reply.statusCode ?? 502, reply.headers).end(text);
          })
          .catch(() => answer.destroy());
      });
      answer.on('close', () => onward.destroy());
      onward.end(body, () => markForwarded());
    })().catch(() => answer.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy: Proxy = {
    url: `http://127.0.0.1:${port}`,
    isCut: false,
    onWrite: undefined,
    onAnswer: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

async function read(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
