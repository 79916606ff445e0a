import { describe, expect, it } from 'vitest';
import type { ChannelContext, Message } from '@highwater/config/kinds.ts';
import { startSmtp } from '../../../test/fixtures/smtp.ts';
import { email } from './email.ts';
import { parseSmtpUrl } from './email-url.ts';

const message = (over: Partial<Message> = {}): Message => ({
  thread: 'inc-1',
  key: 'inc-1/1/mail',
  reason: 'first',
  impact: 'major',
  title: 'Dev RPC is down',
  lines: ['Impact: major'],
  at: Date.UTC(2026, 10, 21, 10, 5),
  ...over,
});

function sender(url: string, to: string[] = ['oncall@example.com']) {
  const send = email.prepare({ smtp: 'env:SMTP', from: 'status@example.com', to });
  return (given: Message, first?: string) => {
    const ctx: ChannelContext = {
      signal: AbortSignal.timeout(5_000),
      host: 'status.example.com',
      site: 'Example Nodes',
      secret: () => url,
      ...(first === undefined ? {} : { first }),
    };
    return send(given, ctx);
  };
}

describe('headers', () => {
  it('cannot be injected, by whatever a title or thread says', async () => {
    await using smtp = await startSmtp();
    const evil = 'x\r\nBcc: evil@example.com\r\n\r\nbody\u0000 =?utf-8?Q?a=0D=0ABcc:_evil?= "a" <b@c>';
    await sender(smtp.url)(message({ title: evil, thread: evil, key: evil }));
    await sender(smtp.url)(message({ title: evil, thread: evil, key: `${evil}2`, reason: 'resolved' }), evil);
    expect(smtp.mails).toHaveLength(2);
    for (const { headerNames, raw, to, subject } of smtp.mails) {
      expect(to).toEqual(['oncall@example.com']);
      expect(headerNames).not.toContain('bcc');
      expect(new Set(headerNames).size).toBe(headerNames.length);
      expect(raw.slice(0, raw.indexOf('\r\n\r\n'))).toMatch(/^[\x20-\x7e\r\n\t]*$/);
      expect(subject).not.toMatch(/[\r\n]/);
    }
  });

  it('say that a machine wrote it', async () => {
    await using smtp = await startSmtp();
    await sender(smtp.url)(message());
    expect(smtp.mails[0]?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(smtp.mails[0]?.headers.get('date')).toBe('Sat, 21 Nov 2026 10:05:00 +0000');
    expect(smtp.mails[0]?.headers.get('from')).toBe('status@example.com');
    expect(smtp.mails[0]?.headers.get('to')).toBe('oncall@example.com');
  });

  it('give the same message the same id each time, and another message another', async () => {
    await using smtp = await startSmtp();
    const send = sender(smtp.url);
    await send(message());
    await send(message());
    await send(message({ key: 'inc-1/2/mail', reason: 'resolved' }), 'subject');
    await send(message({ key: 'inc-1/3/mail', reason: 'repeat' }), 'subject');
    const ids = smtp.mails.map(({ headers }) => headers.get('message-id'));
    expect(ids[0]).toMatch(/^<[0-9a-f]{32}@status\.example\.com>$/);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
  });
});

describe('several recipients', () => {
  const both = ['a@example.com', 'b@example.com'];

  it('one that asks to wait gets it later, and the other one no second time', async () => {
    await using smtp = await startSmtp();
    smtp.refuse({ stage: 'rcpt', code: 451, only: 'b@example.com' });
    const send = sender(smtp.url, both);
    const given = message({ key: 'greylisted' });
    expect(await send(given)).toMatchObject({ result: 'retry' });
    expect(await send(given)).toMatchObject({ result: 'delivered' });
    expect(smtp.mails.map(({ to }) => to)).toEqual([['a@example.com'], ['b@example.com']]);
  });

  it('one that is refused for good is named, and the other one has the mail', async () => {
    await using smtp = await startSmtp();
    smtp.refuse({ stage: 'rcpt', code: 550, only: 'b@example.com', message: 'no such user b' });
    const delivery = await sender(smtp.url, both)(message({ key: 'refused' }));
    expect(delivery).toMatchObject({
      result: 'delivered',
      note: expect.stringContaining('no such user b') as string,
    });
    expect(smtp.mails.map(({ to }) => to)).toEqual([['a@example.com']]);
  });

  it('none that takes it is a refusal of the mail, not of the channel', async () => {
    await using smtp = await startSmtp();
    smtp.refuse({ stage: 'rcpt', code: 550, times: 2 });
    const delivery = await sender(smtp.url, both)(message());
    expect(delivery).toMatchObject({ result: 'permanent' });
    expect(delivery).not.toHaveProperty('scope');
  });
});

describe('the settings', () => {
  it.each([
    ['a list in one address', { from: 'a@example.com, b@example.com' }],
    ['a line break', { from: 'a@example.com\r\nBcc: b@example.com' }],
    ['a name', { from: 'Status <status@example.com>' }],
    ['no recipient', { to: [] }],
    ['a secret written out', { smtp: 'smtp://u:p@mail.example.com' }],
    ['an unknown key', { cc: 'x@example.com' }],
  ])('refuse %s', (_, over) => {
    const good = { smtp: 'env:SMTP', from: 'status@example.com', to: ['oncall@example.com'] };
    expect(() => email.prepare(good)).not.toThrow();
    expect(() => email.prepare({ ...good, ...over })).toThrow();
  });
});

describe('the SMTP URL', () => {
  it.each([
    ['smtp://mail.example.com', { host: 'mail.example.com', port: 587, secure: false, requireTLS: false }],
    ['smtps://mail.example.com', { port: 465, secure: true, requireTLS: false, rejectUnauthorized: true }],
    ['smtp://u:p@mail.example.com:25', { port: 25, requireTLS: true, auth: { user: 'u', pass: 'p' } }],
    ['smtp://u:p@mail.example.com:25?requireTLS=false', { requireTLS: false }],
    ['smtp://u%40x:p%2F%C3%A4@127.0.0.1:2525', { requireTLS: false, auth: { user: 'u@x', pass: 'p/ä' } }],
    ['smtp://[::1]:2525', { host: '::1' }],
    ['smtps://mail.example.com?tls.rejectUnauthorized=false', { rejectUnauthorized: false }],
  ])('%s', (url, expected) => expect(parseSmtpUrl(url)).toMatchObject(expected));

  it.each([
    'https://mail.example.com',
    'mail.example.com',
    'smtp://u:canary@h?debug=canary',
    'smtp://u:canary%@h',
  ])('refuses %s without repeating its values', (url) => {
    expect(() => parseSmtpUrl(url)).toThrow();
    try {
      parseSmtpUrl(url);
    } catch (error) {
      expect(String(error)).not.toContain('canary');
    }
  });
});
