/** The contract of channels on every entry of the table, each against a server on loopback. */
import { expect, it } from 'vitest';
import { channels } from '@highwater/alerts/channels/index.ts';
import { startDiscord } from '../fixtures/discord.ts';
import { startSmtp } from '../fixtures/smtp.ts';
import { channelContract } from './channel.ts';
import type { FarSide } from './channel.ts';

async function discordSide(): Promise<FarSide> {
  const fake = await startDiscord();
  return {
    settings: { webhook: 'env:HOOK' },
    env: { HOOK: fake.webhookUrl },
    canaries: [fake.token, fake.webhookUrl],
    shown: () =>
      fake.messages.map(({ embeds }) => {
        const text = embeds
          .map(({ title, description, url }) => [title, description, url].join('\n'))
          .join('\n');
        const readable = text.replace(/\\(.)/g, '$1').replaceAll('**', '');
        return { text: readable, threaded: text.includes(`/${fake.messages[0]?.id ?? '?'})`) };
      }),
    attempts: () => fake.requests.length,
    busy: () => {
      const body = JSON.stringify({
        message: 'You are being rate limited.',
        retry_after: 1.5,
        global: false,
      });
      fake.fail({ kind: 'answer', status: 429, headers: { 'retry-after': '3' }, body });
      // discord.js adds 50 ms to what the header says.
      return { afterMs: 3_050 };
    },
    broken: () => fake.fail({ kind: 'answer', status: 502, body: 'bad gateway' }),
    hanging: () => fake.fail({ kind: 'hang' }),
    revoked: () => fake.deleteWebhook(),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}

async function emailSide(): Promise<FarSide> {
  const pass = 'canary-pässwörd/+@';
  const smtp = await startSmtp({ user: 'status', pass });
  return {
    settings: { smtp: 'env:SMTP', from: 'status@example.com', to: ['oncall@example.com'] },
    env: { SMTP: smtp.url },
    canaries: [pass, encodeURIComponent(pass), smtp.url],
    shown: () =>
      smtp.mails.map(({ subject, text, headers }) => ({
        // Mentions mean nothing in mail.
        text: [subject, text].join('\n').replaceAll('@everyone', ''),
        threaded: headers.get('in-reply-to') === smtp.mails[0]?.headers.get('message-id'),
      })),
    attempts: () => smtp.sessions(),
    busy: () => {
      smtp.refuse({ stage: 'rcpt', code: 451 });
      return {};
    },
    broken: () => smtp.refuse({ stage: 'data', code: 421 }),
    hanging: () => smtp.stall('mail'),
    revoked: () => smtp.refuse({ stage: 'auth', code: 535, times: 1_000 }),
    [Symbol.asyncDispose]: () => smtp[Symbol.asyncDispose](),
  };
}

const farSides: Readonly<Record<string, () => Promise<FarSide>>> = { discord: discordSide, email: emailSide };

it('every channel of the table has a far side to be tried against', () => {
  expect(Object.keys(farSides).sort()).toEqual(Object.keys(channels).sort());
});

for (const [name, kind] of Object.entries(channels)) {
  const farSide = farSides[name];
  if (farSide) channelContract(name, { kind, farSide });
}
