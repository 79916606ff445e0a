/**
 * Mail by SMTP, through nodemailer; text and HTML. One thread per incident: the first mail's Message-ID follows
 * from the incident, the others refer to it and keep its subject, as mail programs thread by both.
 */
import { createHash } from 'node:crypto';
import type { SMTPTransportOptions } from 'nodemailer';
import { z } from 'zod';
import { key, secretRef } from '@highwater/config/fields.ts';
import { defineChannel } from '@highwater/config/kinds.ts';
import type { ChannelContext, Delivery, Message } from '@highwater/config/kinds.ts';
import { reportParts, reportTable } from '../report.ts';
import { plain, plainMessage } from '../text.ts';
import { judgeMail, judgeRefused } from './email-faults.ts';
import { htmlOf } from './email-html.ts';
import { parseSmtpUrl } from './email-url.ts';
import type { SmtpServer } from './email-url.ts';

/** RFC 5321, 4.5.3.1: 64 octets before the @, 255 after; a mailbox of letters that need no quoting. */
const mailbox = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$/;
const addressMessage = 'not a mail address, write one such as oncall@example.com';
const address = z.string().regex(mailbox, addressMessage);
/** RFC 5321, 4.5.3.1.8: a server takes at least 100 recipients. */
const maxRecipients = 50;
/** RFC 5322, 2.1.1: lines of at most 998; subjects that people read are far shorter. */
export const maxSubjectRunes = 150;
/** For each step of the conversation; the whole is bounded by the context's signal. */
export const timeouts = {
  dnsTimeout: 5_000,
  connectionTimeout: 8_000,
  greetingTimeout: 8_000,
  socketTimeout: 15_000,
} as const;

export const emailSettings = z.strictObject({
  smtp: key(secretRef, 'Where the SMTP URL is: smtp://user:password@host:587 or smtps://…', 'env:SMTP_URL'),
  from: key(address, 'The sender.', 'status@example.com'),
  to: key(z.array(address).min(1).max(maxRecipients), 'The recipients.', ['oncall@example.com']),
});

/** Recipients that took a message when others asked to wait: they are not written to again. Lost at a restart. */
const taken = new Map<string, ReadonlySet<string>>();

async function send(
  settings: z.infer<typeof emailSettings>,
  given: Message,
  ctx: ChannelContext,
): Promise<Delivery> {
  const message = plainMessage(given);
  // A mail can't be edited, and a mail for each change would be noise: the site has the state.
  if (message.reason === 'changed') return { result: 'delivered' };
  const url = ctx.secret(settings.smtp);
  let server: SmtpServer;
  try {
    server = parseSmtpUrl(url);
  } catch (error) {
    const reason = `${settings.smtp}: ${error instanceof Error ? error.message : 'unreadable'}`;
    return { result: 'permanent', reason, scope: 'channel' };
  }
  const transport = await transportTo(server);
  const before = taken.get(message.key) ?? new Set();
  const recipients = settings.to.filter((to) => !before.has(to));
  const subject = subjectOf(message, ctx);
  try {
    const info = await transport.sendMail({
      ...mailOf(settings, recipients, message, ctx),
      signal: ctx.signal,
    });
    const refused = judgeRefused(info.rejectedErrors ?? []);
    if (refused?.result === 'retry') {
      remember(message.key, new Set([...before, ...info.accepted.map(String)]));
      return refused;
    }
    taken.delete(message.key);
    return { result: 'delivered', receipt: subject, ...(refused ? { note: refused.reason } : {}) };
  } catch (error) {
    const verdict = judgeMail(error);
    // Some have it: whatever the last ones' fault, the thread lives.
    if (verdict.result === 'permanent' && before.size > 0) {
      taken.delete(message.key);
      return { result: 'delivered', receipt: subject, note: verdict.reason };
    }
    return verdict;
  } finally {
    transport.close();
  }
}

async function transportTo(server: SmtpServer) {
  const { rejectUnauthorized, ...connection } = server;
  const { createTransport } = await import('nodemailer');
  const options: SMTPTransportOptions = {
    ...connection,
    ...timeouts,
    tls: { rejectUnauthorized },
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  };
  return createTransport(options);
}

function remember(key: string, recipients: ReadonlySet<string>): void {
  // As many as one channel can have under way, with room; the oldest goes.
  if (taken.size >= 1_000) taken.delete(taken.keys().next().value ?? '');
  taken.set(key, recipients);
}

function mailOf(
  settings: z.infer<typeof emailSettings>,
  recipients: readonly string[],
  message: Message,
  ctx: ChannelContext,
) {
  const root = messageId(`thread ${message.thread}`, ctx.host);
  const first = isFirst(message, ctx);
  return {
    // Objects, not text: nothing here is parsed as a list of addresses.
    from: { name: '', address: settings.from },
    to: settings.to.map((to) => ({ name: '', address: to })),
    envelope: { from: settings.from, to: [...recipients] },
    subject: subjectOf(message, ctx),
    messageId: first ? root : messageId(`key ${message.key}`, ctx.host),
    ...(first ? {} : { inReplyTo: root, references: [root] }),
    date: new Date(message.at),
    headers: {
      // RFC 3834: no out-of-office answers to a machine.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    text: textOf(message, ctx.site),
    html: htmlOf(message, ctx.site),
  };
}

function isFirst(message: Message, ctx: ChannelContext): boolean {
  return ctx.first === undefined || ['first', 'test', 'report'].includes(message.reason);
}

/** The receipt of a thread's first mail is its subject. */
function subjectOf(message: Message, ctx: ChannelContext): string {
  if (!isFirst(message, ctx)) return plain(`Re: ${ctx.first ?? ''}`, maxSubjectRunes);
  return plain(`[${ctx.site}] ${message.title}`, maxSubjectRunes);
}

function textOf(message: Message, site: string): string {
  const link = message.url === undefined ? [] : ['', message.url];
  return [message.title, '', ...linesOf(message), ...link, '', '-- ', `${site} · ${message.key}`, ''].join(
    '\n',
  );
}

function linesOf(message: Message): readonly string[] {
  if (message.reason !== 'report') return message.lines;
  const { services, rest } = reportParts(message);
  return [...reportTable(services), ...rest];
}

/** The same for the same words: a mail sent twice after a crash is one to programs that look. */
function messageId(words: string, host: string): string {
  const digest = createHash('sha256').update(words).digest('hex').slice(0, 32);
  return `<${digest}@${host}>`;
}

export const email = defineChannel({
  kind: 'email',
  summary: 'Mail by SMTP; text and HTML, one thread for each incident.',
  settings: emailSettings,
  send,
});
