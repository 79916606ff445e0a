/** The least that undici does for an answer on a connection of its own: fixed, since ours is compared with it. */
import { createSecureContext } from 'node:tls';
import { Client } from 'undici';
import { type Asked, inTurn, type Work } from './asked.ts';

export function open({ urls, body, ca }: Asked): Work {
  const url = inTurn(urls);
  // Made once, as ours is: one for each connection would make us look good.
  const options = ca === undefined ? {} : { connect: { secureContext: createSecureContext({ ca }) } };
  return {
    async call() {
      const client = new Client(url(), options);
      const answer = await client.request({
        path: '/',
        method: body === undefined ? 'GET' : 'POST',
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        body: body ?? null,
      });
      await answer.body.text();
      await client.destroy();
      if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
    },
  };
}
