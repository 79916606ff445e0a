import fc from 'fast-check';
import { parseFragment, parse, serialize } from 'parse5';
import { describe, expect, it } from 'vitest';
import type { Impact, Incident } from '@highwater/config/domain.ts';
import type { Message } from '@highwater/config/kinds.ts';
import { embedLimits, embedOf, escapeMarkdown } from './channels/discord-embed.ts';
import { htmlOf } from './channels/email-html.ts';
import type { Why } from './decide/ladder.ts';
import { placeOf } from './place.ts';
import { limits, range, render, span, utc } from './render.ts';
import { scrub } from './scrub.ts';
import { plain, plainMessage } from './text.ts';

const place = placeOf({
  site: { name: 'Example Nodes', url: 'https://status.example.com/' },
  services: [{ id: 'rpc', name: 'Dev RPC' }],
} as unknown as Parameters<typeof placeOf>[0]);
const start = Date.UTC(2026, 10, 21, 10, 5, 3);
const incident: Incident = {
  id: 'inc 1',
  key: 'service:rpc',
  title: 'Dev RPC is down',
  impact: 'major',
  phase: 'investigating',
  startedAt: start,
  updatedAt: start,
  services: ['rpc', 'gone'],
  nodes: ['rpc/eu'],
  updates: [{ id: 'u', at: start, phase: 'investigating', body: '2 of 3 regions: connect refused' }],
};
const send = (why: Why, reason: Message['reason'] = 'first') => ({
  channel: 'ops',
  why,
  reason,
  key: 'inc 1/1/ops',
  because: 'impact major',
});

describe('an incident in words', () => {
  it('says what, since when, how bad, why, and where to read on', () => {
    expect(render({ incident, send: send('opened'), at: start + 8_000 }, place)).toEqual({
      thread: 'inc 1',
      key: 'inc 1/1/ops',
      reason: 'first',
      impact: 'major',
      title: 'Dev RPC is down',
      lines: [
        'Service: Dev RPC, gone',
        'Nodes: rpc/eu',
        'Since: 2026-11-21 10:05:03 UTC (for 8 s)',
        'Impact: major',
        'State: investigating',
        'Because: 2 of 3 regions: connect refused',
        'Sent: impact major',
      ],
      url: 'https://status.example.com/incidents/inc%201',
      at: start + 8_000,
    });
  });

  it('says of recovery how long it was open', () => {
    const over = { ...incident, phase: 'resolved' as const, resolvedAt: start + 247_000 };
    const { title, lines } = render(
      { incident: over, send: send('over', 'resolved'), at: start + 300_000 },
      place,
    );
    expect(title).toBe('Resolved: Dev RPC is down');
    expect(lines).toContain('Open: for 4 min 7 s, 2026-11-21 10:05:03 to 10:09:10 UTC');
    expect(lines.join()).not.toContain('State');
  });

  it('does not call resolved what goes on as part of a wider incident', () => {
    const merged = { ...incident, phase: 'resolved' as const, resolvedAt: start, mergedInto: 'wide' };
    const { title } = render({ incident: merged, send: send('state', 'changed'), at: start }, place);
    expect(title).toBe('Part of a wider incident: Dev RPC is down');
  });

  it('says who acknowledged it', () => {
    const acknowledged = { by: 'ana', at: start + 60_000 };
    const { lines } = render(
      { incident, acknowledged, send: send('state', 'changed'), at: start + 61_000 },
      place,
    );
    expect(lines).toContain('Acknowledged: by ana, 2026-11-21 10:06:03 UTC');
  });

  it.each<[Why, string]>([
    ['step', 'Not acknowledged: '],
    ['worse', 'Worse: '],
    ['again', 'Again: '],
    ['repeat', 'Still open: '],
    ['undelivered', 'Passed on: '],
    ['state', ''],
  ])('%s begins with "%s"', (why, heading) => {
    expect(render({ incident, send: send(why), at: start }, place).title).toBe(`${heading}Dev RPC is down`);
  });

  it('links to the site where an incident has no page', () => {
    const blind = { ...incident, key: 'collector:silent' };
    expect(render({ incident: blind, send: send('opened'), at: start }, place).url).toBe(
      'https://status.example.com',
    );
  });

  it('shows ten names and says how many more', () => {
    const nodes = Array.from({ length: 13 }, (_, index) => `rpc/n${index}`);
    const { lines } = render({ incident: { ...incident, nodes }, send: send('opened'), at: start }, place);
    expect(lines[1]).toMatch(/^Nodes: rpc\/n0, .*rpc\/n9 and 3 more$/);
  });

  it.each([
    [0, '0 s'],
    [12_999, '12 s'],
    [247_000, '4 min 7 s'],
    [240_000, '4 min'],
    [7_500_000, '2 h 5 min'],
    [273_600_000, '3 d 4 h'],
    [-5, '0 s'],
  ])('%i ms is %s', (ms, text) => expect(span(ms)).toBe(text));

  it('a second date is shown only where it is another one', () => {
    expect(range(start, start + 60_000)).toBe('2026-11-21 10:05:03 to 10:06:03 UTC');
    expect(range(start, start + 86_400_000)).toBe('2026-11-21 10:05:03 to 2026-11-22 10:05:03 UTC');
  });

  it('times are UTC to the second', () => expect(utc(start)).toBe('2026-11-21 10:05:03 UTC'));
});

/** Text as an attacker would choose it. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .array(
      fc.constantFrom('@everyone', '<@&1>', '<', '>', '*', '_', '`', '\\', '\r\n', '\u202e', '\u0000', '\u0085',
      'https://evil.example', '[x](y)', '# ', '- ', '1. ', '&', '"', "'", '</td>', '<script>', '\ud800', '💥', '||', '~~', 'a'), // prettier-ignore
      { maxLength: 80 },
    )
    .map((parts) => parts.join('')),
);
const impacts = fc.constantFrom<Impact>('none', 'minor', 'major', 'critical');
const messages: fc.Arbitrary<Message> = fc.record({
  thread: fc.string({ maxLength: 40 }),
  key: fc.string({ maxLength: 40 }),
  reason: fc.constantFrom<Message['reason'][]>('first', 'escalated', 'repeat', 'changed', 'resolved', 'test'),
  impact: impacts,
  title: nasty,
  lines: fc.array(nasty, { maxLength: 60 }),
  at: fc.constant(start),
});

describe('hostile text', () => {
  it('becomes one line without characters that move or hide others', () => {
    fc.assert(
      fc.property(nasty, fc.integer({ min: 1, max: 500 }), (text, max) => {
        const line = plain(text, max);
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(Array.from(line).length).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('is cut at runes', () => {
    expect(plain('💥💥💥💥', 3)).toBe('💥💥…');
    expect(plain('ok', 2)).toBe('ok');
  });

  it('renders within our own limits', () => {
    fc.assert(
      fc.property(nasty, nasty, (title, body) => {
        const hostile = {
          ...incident,
          title,
          updates: [{ id: 'u', at: 0, phase: 'identified' as const, body: body.repeat(50) }],
        };
        const { title: shown, lines } = render({ incident: hostile, send: send('opened'), at: start }, place);
        expect(Array.from(shown).length).toBeLessThanOrEqual(limits.titleRunes);
        for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(limits.lineRunes);
      }),
    );
  });

  it('stays within what Discord takes', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const { title, description, footer } = embedOf(
          plainMessage(message),
          'https://discord.example/channels/1/2/3',
        );
        expect(title.length).toBeLessThanOrEqual(embedLimits.title);
        expect(description.length).toBeLessThanOrEqual(embedLimits.description);
        expect(title.length + description.length + footer.text.length).toBeLessThanOrEqual(6_000);
      }),
    );
  });

  it('has no live markup, mention or link on Discord, and reads the same without the escapes', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const line = plain(text, 200);
        const escaped = escapeMarkdown(line, 4_000);
        const live = escaped.replace(/\\[^0-9A-Za-z\s]/g, 'x');
        expect(live).not.toMatch(/[\\*_~`|>#[\]<]|:\/\/|@(?!\u200b)/);
        expect(live).not.toMatch(/^([-+]|\d+[.)]) /);
        expect(escaped.replace(/\\([^0-9A-Za-z\s])/g, '$1').replaceAll('\u200b', '')).toBe(line);
      }),
    );
  });

  it('is text and nothing else in mail: no element, attribute or address of its own', () => {
    const shape = (html: string) => {
      const seen: string[] = [];
      const walk = (node: unknown): void => {
        const { nodeName, attrs, childNodes } = node as {
          nodeName: string;
          attrs?: { name: string; value: string }[];
          childNodes?: unknown[];
        };
        if (!nodeName.startsWith('#')) {
          seen.push(`${nodeName} ${(attrs ?? []).map(({ name }) => name).join(' ')}`);
        }
        for (const child of childNodes ?? []) walk(child);
      };
      walk(parse(html));
      return [...new Set(seen)].sort();
    };
    const allowed = new Set(
      shape(htmlOf({ ...base, lines: ['plain', 'Label: value'], url: 'https://status.example.com' }, 'Site')),
    );
    fc.assert(
      fc.property(messages, (message) => {
        const html = htmlOf(plainMessage(message), 'Site <b>');
        for (const element of shape(html)) expect(allowed).toContain(element);
        expect(html).not.toMatch(/src=|url\(|@import/);
      }),
    );
  });

  it('reads the same in mail', () => {
    fc.assert(
      fc.property(nasty, (title) => {
        const shown = plain(title, 200);
        const html = htmlOf({ ...base, title: shown }, 'Site');
        const [, inner = ''] = /<h1[^>]*>([\s\S]*?)<\/h1>/.exec(html) ?? [];
        const text = parseFragment(inner).childNodes.map((node) =>
          'value' in node ? node.value : serialize({ ...node } as never),
        );
        expect(text.join('')).toBe(shown);
      }),
    );
  });
});

const base: Message = {
  thread: 't',
  key: 'k',
  reason: 'first',
  impact: 'major',
  title: 'x',
  lines: [],
  at: start,
};

describe('secrets in what a server says', () => {
  it.each([
    [
      'a webhook',
      'no: https://d.example/api/webhooks/1/abcdefghijklmnop0123',
      ['https://d.example/api/webhooks/1/abcdefghijklmnop0123'],
    ],
    [
      'its token alone',
      'token abcdefghijklmnop0123 is bad',
      ['https://d.example/api/webhooks/1/abcdefghijklmnop0123'],
    ],
    ['a password', 'bad password hunter22', ['smtp://me:hunter22@h:25']],
    [
      'a password in base64',
      `bad ${Buffer.from('hunter22').toString('base64')}`,
      ['smtp://me:hunter22@h:25'],
    ],
    [
      'a plain login',
      `bad ${Buffer.from('\u0000me\u0000hunter22').toString('base64')}`,
      ['smtp://me:hunter22@h:25'],
    ],
    ['an escaped password', 'bad pä+ss@word', [`smtp://me:${encodeURIComponent('pä+ss@word')}@h:25`]],
  ])('%s is taken out', (_, text, secrets) => {
    const out = scrub(text, secrets);
    expect(out).toContain('[redacted]');
    expect(out).not.toMatch(/hunter22|abcdefghijklmnop|pä\+ss/);
  });
});
