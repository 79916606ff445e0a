/** The least that `ws` does for a connection and one call: fixed, as bare-undici.ts is. */
import { WebSocket } from 'ws';
import { type Asked, inTurn, type Work } from './asked.ts';

export function open({ urls, body = '' }: Asked): Work {
  const url = inTurn(urls);
  return {
    call: () =>
      new Promise((resolve, reject) => {
        // What ours refuses is not offered here either.
        const socket = new WebSocket(url(), { perMessageDeflate: false });
        socket.on('open', () => socket.send(body));
        socket.on('message', (data: Buffer) => {
          const { result } = JSON.parse(data.toString()) as { result: unknown };
          socket.terminate();
          if (result === '0x10') resolve();
          else reject(new Error(data.toString()));
        });
        socket.on('error', reject);
      }),
  };
}
