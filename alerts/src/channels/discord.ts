/**
 * Discord by webhook, through discord.js. The webhook's URL is used at the host that it names, so that a
 * compatible server works; it is a secret as a whole (whoever has it can write), so no error repeats it.
 */
import type { WebhookClient } from 'discord.js';
import { z } from 'zod';
import { key, secretRef } from '@highwater/config/fields.ts';
import { defineChannel } from '@highwater/config/kinds.ts';
import type { ChannelContext, Delivery, Message } from '@highwater/config/kinds.ts';
import { plainMessage } from '../text.ts';
import { embedOf } from './discord-embed.ts';
import { boundedRequest, timeoutMs } from './discord-request.ts';
import { judge, UnknownMessage } from './discord-faults.ts';

export const discordSettings = z.strictObject({
  webhook: key(secretRef, 'Where the webhook URL is.', 'env:DISCORD_WEBHOOK'),
});

interface Webhook {
  /** Everything before `/webhooks/`. */
  readonly api: string;
  readonly route: `/webhooks/${string}`;
  readonly id: string;
  readonly token: string;
  /** The forum or text thread that the URL names, if any. */
  readonly threadId?: string;
}

/** Reads the URL that Discord shows for a webhook, at any host. Undefined when it is none. */
export function parseWebhook(text: string): Webhook | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const match = /^(.*)\/webhooks\/(\d+)\/([A-Za-z0-9._-]+)\/?$/.exec(url.pathname);
  if (!/^https?:$/.test(url.protocol) || !match) return undefined;
  const [, prefix = '', id = '', token = ''] = match;
  const threadId = url.searchParams.get('thread_id');
  return {
    api: `${url.origin}${prefix}`,
    route: `/webhooks/${id}/${token}`,
    id,
    token,
    ...(threadId !== null && /^\d+$/.test(threadId) ? { threadId } : {}),
  };
}

/** One client per webhook: it remembers Discord's rate limits between messages. */
const clients = new Map<string, WebhookClient>();

async function clientOf({ api, id, token, route }: Webhook): Promise<WebhookClient> {
  const name = `${api}${route}`;
  const known = clients.get(name);
  if (known) return known;
  // 150 ms and 55 MB: only where a Discord channel is used.
  const { WebhookClient } = await import('discord.js');
  const rest = {
    api,
    retries: 0,
    timeout: timeoutMs,
    rejectOnRateLimit: () => true,
    makeRequest: boundedRequest,
  };
  const client = new WebhookClient({ id, token }, { rest, allowedMentions: { parse: [] } });
  clients.set(name, client);
  return client;
}

/**
 * The first message is posted and its id kept; later states edit it; recovery edits it and is posted as well,
 * with a link to the first. Edits come first because they can be repeated without harm and posts cannot.
 */
async function send(
  settings: z.infer<typeof discordSettings>,
  given: Message,
  ctx: ChannelContext,
): Promise<Delivery> {
  const message = plainMessage(given);
  const hook = parseWebhook(ctx.secret(settings.webhook));
  if (!hook) {
    const reason = `${settings.webhook} holds no webhook URL; copy it from the channel's settings in Discord (https://discord.com/api/webhooks/ID/TOKEN)`;
    return { result: 'permanent', reason, scope: 'channel' };
  }
  const client = await clientOf(hook);
  try {
    if (ctx.first === undefined || ['first', 'test', 'report'].includes(message.reason)) {
      return { result: 'delivered', receipt: await post(client, hook, message, ctx) };
    }
    if (message.reason === 'changed') {
      if (await edit(client, hook, message, ctx)) return { result: 'delivered' };
      // Somebody deleted the first message: the thread goes on in a new one.
      return { result: 'delivered', receipt: await post(client, hook, message, ctx) };
    }
    if (message.reason === 'resolved') await edit(client, hook, message, ctx);
    await post(client, hook, message, ctx, await linkTo(client, hook, ctx));
    return { result: 'delivered' };
  } catch (error) {
    return judge(error);
  }
}

function queryOf(hook: Webhook, more: Readonly<Record<string, string>>): URLSearchParams {
  return new URLSearchParams({
    ...more,
    ...(hook.threadId === undefined ? {} : { thread_id: hook.threadId }),
  });
}

async function bodyOf(client: WebhookClient, message: Message, refer?: string): Promise<unknown> {
  const { MessagePayload } = await import('discord.js');
  const embeds = [embedOf(message, refer)];
  const payload = MessagePayload.create(client, { embeds, allowedMentions: { parse: [] } });
  return payload.resolveBody().body;
}

/** Returns the new message's id. */
async function post(
  client: WebhookClient,
  hook: Webhook,
  message: Message,
  ctx: ChannelContext,
  refer?: string,
): Promise<string> {
  const answer = await client.rest.post(hook.route, {
    versioned: false,
    auth: false,
    query: queryOf(hook, { wait: 'true' }),
    body: await bodyOf(client, message, refer),
    signal: ctx.signal,
  });
  const parsed = z.object({ id: z.string().regex(/^\d+$/) }).safeParse(answer);
  return parsed.success ? parsed.data.id : '';
}

/** False when the message is gone. */
async function edit(
  client: WebhookClient,
  hook: Webhook,
  message: Message,
  ctx: ChannelContext,
): Promise<boolean> {
  if (ctx.first === undefined || ctx.first === '') return false;
  try {
    await client.rest.patch(`${hook.route}/messages/${ctx.first}`, {
      versioned: false,
      auth: false,
      query: queryOf(hook, {}),
      body: await bodyOf(client, message),
      signal: ctx.signal,
    });
    return true;
  } catch (error) {
    if (judge(error).result === 'permanent' && UnknownMessage.is(error)) return false;
    throw error;
  }
}

/** Webhooks cannot reply, so recovery links to the first message. Without its place there is no link: no matter. */
async function linkTo(
  client: WebhookClient,
  hook: Webhook,
  ctx: ChannelContext,
): Promise<string | undefined> {
  if (ctx.first === undefined || ctx.first === '') return undefined;
  try {
    const about = await client.rest.get(hook.route, { versioned: false, auth: false, signal: ctx.signal });
    const id = z.string().regex(/^\d+$/);
    const place = z.object({ guild_id: id, channel_id: id }).safeParse(about);
    if (!place.success) return undefined;
    const { guild_id, channel_id } = place.data;
    return `${new URL(hook.api).origin}/channels/${guild_id}/${hook.threadId ?? channel_id}/${ctx.first}`;
  } catch {
    return undefined;
  }
}

export const discord = defineChannel({
  kind: 'discord',
  summary: 'A message in a Discord channel, by webhook; it is edited as the incident goes on.',
  settings: discordSettings,
  send,
});
