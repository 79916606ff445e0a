import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { ChannelContext, Message } from '@highwater/config/kinds.ts';
import { summaryLines } from '@highwater/config/report/summary.ts';
import { sampleReport } from '@highwater/config/report/testing/sample.ts';
import type { FeedEvent } from '@highwater/config/wire.ts';
import { startDiscord } from '../../test/fixtures/discord.ts';
import { startSmtp } from '../../test/fixtures/smtp.ts';
import { discord } from './channels/discord.ts';
import { email } from './channels/email.ts';
import { renderReport, reportTable } from './report.ts';
import { makeDriver } from './step.ts';
import { openStore } from './store.ts';

type Published = Extract<FeedEvent, { type: 'report.published' }>;

const at = Date.UTC(2026, 10, 3, 0, 0, 12);
const place = { siteName: 'Example Nodes', siteUrl: 'https://status.example.com', services: {} };
const sampleLines = summaryLines(sampleReport());
const published = (over: Partial<Published> = {}): Published => ({
  seq: 7,
  at,
  type: 'report.published',
  month: '2026-10',
  revision: 1,
  lines: sampleLines,
  ...over,
});

function context(url: string): ChannelContext {
  return {
    signal: AbortSignal.timeout(20_000),
    host: 'status.example.com',
    site: 'Example Nodes',
    secret: () => url,
  };
}

async function mailOf(message: Message) {
  await using smtp = await startSmtp();
  const send = email.prepare({ smtp: 'env:S', from: 'status@example.com', to: ['voters@example.com'] });
  expect(await send(message, context(smtp.url))).toMatchObject({ result: 'delivered' });
  const [mail] = smtp.mails;
  if (mail === undefined) throw new Error('no mail came');
  return mail;
}

async function embedOf(message: Message) {
  await using server = await startDiscord();
  const send = discord.prepare({ webhook: 'env:H' });
  expect(await send(message, context(server.webhookUrl))).toMatchObject({ result: 'delivered' });
  const [shown] = server.messages;
  const [embed] = (shown?.body['embeds'] ?? []) as {
    title: string;
    description: string;
    url: string;
    color: number;
    fields?: { name: string; value: string }[];
  }[];
  if (embed === undefined) throw new Error('no embed came');
  return { embed, mentions: shown?.body['allowed_mentions'] };
}

describe('a report by mail', () => {
  it('has the figures of each service as a table, the page, how to verify, and the anchor', async () => {
    const mail = await mailOf(renderReport(published(), 'mail', place, at));
    expect(mail.subject).toBe('[Example Nodes] Uptime report of October 2026');
    const lines = mail.text.replaceAll('\r\n', '\n').split('\n');
    expect(lines).toContain('Service         Uptime     Known      Objective       Down');
    expect(lines).toContain('Public RPC      99.9483 %  99.9752 %  99.9 % met      23 min');
    expect(lines).toContain('Block explorer  99.3749 %  99.9865 %  99.5 % not met  279 min');
    expect(lines).toContain('Verify: highwater verify https://status.example.com/reports/2026-10');
    expect(lines.find((line) => line.startsWith('Anchor: '))).toContain('/2026 312408 ');
    expect(lines).toContain('https://status.example.com/reports/2026-10');
    expect(mail.html).toContain('>Report</div>');
    expect(mail.html).toMatch(/<th scope="col"[^>]*>Uptime<\/th>/);
    expect(mail.html).toMatch(/<td[^>]*>99\.9483&nbsp;%<\/td>/);
    expect(mail.html).not.toMatch(/Critical|Major|Notice|Resolved/);
  });

  it('shows hostile names as text', async () => {
    const lines = ['<script>alert(1)</script>\r\nBcc: x@example.com · 1 · 2 · 3 · 4', 'a · b · c', '<b>: x'];
    const mail = await mailOf(
      renderReport(published({ lines, month: '<x>\r\n', revision: 2 }), 'mail', place, at),
    );
    expect(mail.headerNames).not.toContain('bcc');
    expect(mail.subject).toBe('[Example Nodes] Uptime report of <x> , revision 2');
    expect(mail.html).not.toMatch(/<script|<b>/);
    expect(mail.html).toContain('&lt;script&gt;');
  });

  it('has the table of a report without a service left out', () => {
    expect(reportTable([])).toEqual([]);
  });
});

describe('a report on Discord', () => {
  it('is one embed with a field for each service, in calm colour', async () => {
    const { embed, mentions } = await embedOf(renderReport(published(), 'ops', place, at));
    expect(embed.title).toBe('Uptime report of October 2026');
    expect(embed.url).toBe('https://status.example.com/reports/2026-10');
    expect(embed.color).toBe(0x33566e);
    expect(embed.fields?.map(({ name }) => name)).toEqual(['Archive node', 'Block explorer', 'Public RPC']);
    expect(embed.fields?.[2]?.value).toBe(
      '**99.9483 %** · known 99.9752 % · objective 99.9 % met · 23 min down',
    );
    expect(embed.description).toContain('**Anchor:** highwater');
    expect(mentions).toEqual({ parse: [] });
  });

  it('stays within what an embed may have, whatever comes', async () => {
    const name = '@everyone *_~`|>#[]<'.repeat(20);
    const lines = [
      ...Array.from({ length: 40 }, () => `${name} · 1 · 2 · 3 · 4`),
      ...Array.from({ length: 40 }, () => name),
    ];
    const { embed } = await embedOf(renderReport(published({ lines }), 'ops', place, at));
    const all = [
      embed.title,
      embed.description,
      ...(embed.fields ?? []).flatMap(({ name, value }) => [name, value]),
    ];
    expect(all.join('').length).toBeLessThan(5_800);
    expect(embed.fields?.length).toBeLessThanOrEqual(25);
    expect(all.join('')).not.toContain('@everyone');
  });
});

describe('the outbox', () => {
  it('gets one message of a revision for each channel of reports.to, however often it is read, and no ladder', () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'highwater-report-'));
    const store = openStore(dataDir, at);
    try {
      const driver = makeDriver(store, [], place, pino({ level: 'silent' }), ['mail', 'ops']);
      driver.handle(published(), at);
      driver.handle(published({ seq: 8 }), at + 1);
      expect([store.pending('mail'), store.pending('ops'), store.pending('other')]).toEqual([1, 1, 0]);
      expect(store.openLadders()).toEqual([]);
      driver.handle(published({ seq: 9, revision: 2 }), at + 2);
      expect(store.pending('mail')).toBe(2);
      expect(store.nextPending('mail', at + 3)?.message).toMatchObject({ reason: 'report', impact: 'none' });
    } finally {
      store.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
