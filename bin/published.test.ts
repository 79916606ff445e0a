/** Asking for the published log: of whom it was named, the newest that is there, and how old an answer is. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { publishedAt } from './published.ts';

async function asking(listener: RequestListener, work: (base: string) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/log`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it('caches are asked for the newest, and say how old theirs is', async () => {
  const asked: (string | undefined)[] = [];
  const listener: RequestListener = (req, res) => {
    asked.push(req.headers['cache-control']);
    res.writeHead(200, req.url === '/log/2026/checkpoint' ? { age: '86400' } : {}).end('x');
  };
  await asking(listener, async (base) => {
    const published = publishedAt(`${base}/`);
    await published.get('2026/checkpoint', 10);
    await published.get('2027/checkpoint', 10);
    expect(asked).toEqual(['no-cache', 'no-cache']);
    expect(published.ageS?.('2026/checkpoint')).toBe(86_400);
    expect(published.ageS?.('2027/checkpoint')).toBeUndefined();
  });
});

it.each([301, 302, 303, 307, 308])('a %i is told and not followed, nor asked again', async (status) => {
  const asked: (string | undefined)[] = [];
  const listener: RequestListener = (req, res) => {
    asked.push(req.url);
    res.writeHead(status, { location: '/elsewhere/2026/checkpoint' }).end();
  };
  await asking(listener, async (base) => {
    await expect(publishedAt(base).get('2026/checkpoint', 10)).rejects.toMatchObject({
      kind: 'no',
      message: `${base}/2026/checkpoint leads elsewhere (${status}, to /elsewhere/2026/checkpoint), which is not followed`,
      remedy: expect.stringContaining('--published URL') as string,
    });
    expect(asked).toEqual(['/log/2026/checkpoint']);
  });
});
