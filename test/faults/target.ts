/** A web server to be watched. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** `statusOf` gives the status of the nth answer, from 1; 200 when it is left out. */
export async function startTarget(
  statusOf: (nth: number) => number = () => 200,
): Promise<{ url: string } & AsyncDisposable> {
  let asked = 0;
  const server = createServer((_, answer) => {
    asked += 1;
    answer.writeHead(statusOf(asked)).end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
