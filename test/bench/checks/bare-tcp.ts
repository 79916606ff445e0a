/** The least that Node does for a TCP connection of its own, and for a word each way: fixed, as bare-undici.ts is. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { type Asked, inTurn, type Work } from './asked.ts';

export function open({ urls, body }: Asked): Work {
  const url = inTurn(urls.map((each) => new URL(each)).map(({ hostname, port }) => `${hostname} ${port}`));
  return {
    async call() {
      const [host = '', port] = url().split(' ');
      const socket = connect({ host, port: Number(port), autoSelectFamily: false, noDelay: true });
      await once(socket, 'connect');
      if (body !== undefined) {
        socket.write(body);
        const [answer] = (await once(socket, 'data')) as [Buffer];
        if (!answer.includes('PONG')) throw new Error(answer.toString());
      }
      socket.destroy();
    },
  };
}
