/** `highwater alerts test CHANNEL`: one message that proves that a channel works. */
import { randomUUID } from 'node:crypto';
import type { Delivery } from '@highwater/config/kinds.ts';
import type { Config } from '@highwater/config/model.ts';
import { isSecretRef, resolveSecret } from '@highwater/config/secrets.ts';
import { channels as table } from './channels/index.ts';
import { placeOf } from './place.ts';
import { renderTest } from './render.ts';
import { scrub } from './scrub.ts';

/** For the whole of it. */
const deadlineMs = 30_000;

/**
 * Sends a test message at once, past the outbox. Gives what the channel said; the reason never holds a secret.
 * Throws an Error that names the remedy when there is no such channel or its secret is missing.
 */
export async function sendTest(
  channelId: string,
  config: Config,
  secretEnv: NodeJS.ProcessEnv = process.env,
): Promise<Delivery> {
  const declared = config.alerts.channels;
  const channel = declared.find(({ id }) => id === channelId);
  const kind = channel && table[channel.kind];
  if (!channel || !kind) {
    const names = declared.map(({ id }) => id).join(', ');
    throw new Error(
      `there is no channel ${channelId}; ${names === '' ? 'none is configured under alerts.channels' : `there are: ${names}`}`,
    );
  }
  const place = placeOf(config);
  const revealed: string[] = [];
  const message = renderTest(channelId, `test-${randomUUID()}`, place, Date.now());
  const delivery = await kind.prepare(channel.settings)(message, {
    signal: AbortSignal.timeout(deadlineMs),
    host: place.host,
    site: place.siteName,
    secret(ref) {
      if (!isSecretRef(ref)) throw new Error('not a reference to a secret; write env:NAME or file:PATH');
      const secret = resolveSecret(ref, secretEnv).reveal();
      revealed.push(secret);
      return secret;
    },
  });
  if (delivery.result === 'delivered') {
    return delivery.note === undefined ? delivery : { ...delivery, note: scrub(delivery.note, revealed) };
  }
  return { ...delivery, reason: scrub(delivery.reason, revealed) };
}
