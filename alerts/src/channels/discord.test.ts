import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ChannelContext, Message } from '@highwater/config/kinds.ts';
import { startDiscord } from '../../../test/fixtures/discord.ts';
import { discord, parseWebhook } from './discord.ts';
import { maxAnswerBytes } from './discord-request.ts';

const message = (over: Partial<Message> = {}): Message => ({
  thread: 'inc-1',
  key: 'inc-1/1/ops',
  reason: 'first',
  impact: 'major',
  title: 'Dev RPC is down',
  lines: ['Impact: major'],
  at: Date.UTC(2026, 10, 21, 10, 5),
  ...over,
});

function sender(url: string) {
  const send = discord.prepare({ webhook: 'env:HOOK' });
  return (given: Message, first?: string, signal = AbortSignal.timeout(5_000)) => {
    const ctx: ChannelContext = {
      signal,
      host: 'status.example.com',
      site: 'Example Nodes',
      secret: () => url,
      ...(first === undefined ? {} : { first }),
    };
    return send(given, ctx);
  };
}

async function server(listener: RequestListener) {
  const made = createServer(listener);
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const { port } = made.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/api/webhooks/100000000000000001/canary-token-0123456789`,
    async [Symbol.asyncDispose]() {
      made.closeAllConnections();
      await new Promise<void>((resolve) => made.close(() => resolve()));
    },
  };
}

describe('the webhook URL', () => {
  it.each([
    ['https://discord.com/api/webhooks/1/tok', 'https://discord.com/api', '/webhooks/1/tok', undefined],
    [
      'https://discord.com/api/v10/webhooks/1/tok/',
      'https://discord.com/api/v10',
      '/webhooks/1/tok',
      undefined,
    ],
    ['http://127.0.0.1:9/x/webhooks/1/t-_.k?thread_id=77', 'http://127.0.0.1:9/x', '/webhooks/1/t-_.k', '77'],
    ['https://other.example/webhooks/1/tok', 'https://other.example', '/webhooks/1/tok', undefined],
  ])('%s is used at the host and path that it names', (url, api, route, threadId) => {
    expect(parseWebhook(url)).toMatchObject({ api, route });
    expect(parseWebhook(url)?.threadId).toBe(threadId);
  });

  it.each([
    '',
    'x',
    'ftp://d/webhooks/1/t',
    'https://d/api/1/t',
    'https://d/webhooks/x/t',
    'https://d/webhooks/1',
  ])('%j is none', (url) => expect(parseWebhook(url)).toBeUndefined());

  it('is asked at exactly that path, in the thread that it names', async () => {
    const paths: string[] = [];
    await using fake = await server((request, response) => {
      paths.push(`${request.method} ${request.url}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"123"}');
    });
    const send = sender(`${fake.url}?thread_id=77`);
    expect(await send(message())).toEqual({ result: 'delivered', receipt: '123' });
    await send(message({ reason: 'changed' }), '123');
    const path = new URL(fake.url).pathname;
    expect(paths).toEqual([`POST ${path}?wait=true&thread_id=77`, `PATCH ${path}/messages/123?thread_id=77`]);
  });
});

describe('what Discord answers', () => {
  it('a first message that somebody deleted is posted anew, and that is the thread from then on', async () => {
    await using fake = await startDiscord();
    const send = sender(fake.webhookUrl);
    const first = await send(message());
    const receipt = first.result === 'delivered' ? (first.receipt ?? '') : '';
    fake.deleteMessage(receipt);
    const changed = await send(message({ key: 'k2', reason: 'changed' }), receipt);
    expect(changed).toEqual({ result: 'delivered', receipt: fake.messages[1]?.id });
    fake.deleteMessage(fake.messages[1]?.id ?? '');
    const over = await send(message({ key: 'k3', reason: 'resolved' }), fake.messages[1]?.id);
    expect(over.result).toBe('delivered');
    expect(fake.messages).toHaveLength(3);
  });

  it('an edit for which the webhook is gone is refused for good', async () => {
    await using fake = await startDiscord();
    const send = sender(fake.webhookUrl);
    await send(message());
    fake.deleteWebhook();
    expect(await send(message({ reason: 'changed' }), '400000000000000001')).toMatchObject({
      result: 'permanent',
      scope: 'channel',
    });
  });

  it.each([
    ['seconds in the header alone', { 'retry-after': '7' }, '', 7_050],
    ['fractions of seconds in the body alone', {}, '{"retry_after":2.5}', 2_550],
    ['the longer of both', { 'retry-after': '1' }, '{"retry_after":4}', 4_050],
    ['neither', {}, 'slow down', 5_050],
    ['nonsense', { 'retry-after': 'soon' }, '{"retry_after":-3}', 5_050],
    ['all of Discord', { 'retry-after': '9', 'x-ratelimit-global': 'true' }, '{"global":true}', 9_050],
  ])('a rate limit: %s', async (_, headers, body, afterMs) => {
    await using fake = await startDiscord();
    fake.fail({ kind: 'answer', status: 429, headers: headers, body });
    const delivery = await sender(fake.webhookUrl)(message());
    if (delivery.result !== 'retry') throw new Error(delivery.result);
    expect(delivery.afterMs).toBeGreaterThan(afterMs - 100);
    expect(delivery.afterMs).toBeLessThanOrEqual(afterMs + 50);
    expect(fake.requests).toHaveLength(1);
  });

  it.each([
    [400, '{"code":50035,"message":"Invalid Form Body"}', 'permanent'],
    [401, '{"code":50027,"message":"Invalid Webhook Token"}', 'permanent'],
    [403, '<html>', 'permanent'],
    [404, 'null', 'permanent'],
    [404, '"text"', 'permanent'],
    [408, '', 'retry'],
    [500, '{}', 'retry'],
    [503, '<html>', 'retry'],
  ])('HTTP %i %s is %s, after one request', async (status, body, result) => {
    await using fake = await startDiscord();
    fake.fail({ kind: 'answer', status, body });
    expect(await sender(fake.webhookUrl)(message())).toMatchObject({ result });
    expect(fake.requests).toHaveLength(1);
  });

  it('a body that stops coming ends at the signal', async () => {
    await using fake = await startDiscord();
    fake.fail({ kind: 'stall' });
    expect(await sender(fake.webhookUrl)(message(), undefined, AbortSignal.timeout(200))).toMatchObject({
      result: 'retry',
    });
  });

  it('a redirect is not followed', async () => {
    let asked = 0;
    await using fake = await server((_, response) => {
      asked += 1;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    const delivery = await sender(fake.url)(message());
    expect(delivery).toMatchObject({ result: 'permanent', scope: 'channel' });
    expect(JSON.stringify(delivery)).not.toContain('canary');
    expect(asked).toBe(1);
  });

  it('an answer without end is cut off', async () => {
    await using fake = await server((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = Buffer.alloc(64 * 1024, 32);
      const more = () => {
        while (response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    const delivery = await sender(fake.url)(message());
    expect(delivery).toMatchObject({ result: 'retry' });
    expect(JSON.stringify(delivery)).toContain(String(maxAnswerBytes));
  });
});
