import { parseFragment } from 'parse5';
import { describe, expect, test } from 'vitest';
import {
  allUp,
  anIncident,
  aSnapshot,
  firstMinute,
  morning,
  oneDown,
} from '../../../test/fixtures/snapshots.ts';
import { escapeHtml, xmlSafe } from './escape.ts';
import { atom, rss } from './feed.ts';

const now = morning;
const all = (xml: string, tag: string) =>
  [...xml.matchAll(new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, 'g'))].map((match) => match[1] ?? '');

test('Atom has one entry an incident, with a stable id and the time of its last update', () => {
  const xml = atom({ now, snapshot: oneDown(now) });
  expect(all(xml, 'entry')).toHaveLength(4);
  expect(xml).toContain('<id>tag:status.example.com,2005:Incident/01K9ZC0INCIDENT1</id>');
  expect(xml).toContain('<link rel="self" href="https://status.example.com/history.atom"/>');
  expect(all(all(xml, 'entry')[0] ?? '', 'updated')).toEqual([
    new Date(anIncident(now).updatedAt).toISOString(),
  ]);
});

test('RSS has one item an update, newest first, each with an id of its own', () => {
  const xml = rss({ now, snapshot: oneDown(now) });
  const guids = all(xml, 'guid');
  expect(guids[0]).toBe('incident-01K9ZC0INCIDENT1-u2');
  expect(new Set(guids).size).toBe(guids.length);
  expect(xml).toContain('isPermaLink="false"');
});

test('feeds end at fifty items', () => {
  const incidents = Array.from({ length: 60 }, (_, index) => anIncident(now, { id: `i${index}` }));
  const snapshot = aSnapshot(now, { incidents });
  expect(all(atom({ now, snapshot }), 'entry')).toHaveLength(50);
  expect(all(rss({ now, snapshot }), 'item')).toHaveLength(50);
});

test('without incidents, or without any data, a feed is still a feed', () => {
  expect(atom({ now, snapshot: firstMinute(now) })).toContain(
    '<title>Example Nodes Status - Incident History</title>',
  );
  expect(atom({ now, siteUrl: 'http://localhost:3000/' })).toContain(
    'href="http://localhost:3000/history.atom"',
  );
  expect(rss({ now })).toContain('<rss version="2.0"');
});

test('the address given on the command line outranks the one in the snapshot', () => {
  expect(atom({ now, snapshot: allUp(now), siteUrl: 'https://other.example/' })).toContain(
    'https://other.example/incidents/01K9PAST1',
  );
});

describe('hostile text', () => {
  const hostile = '</p><script>alert(1)</script> ]]> & \u0000\u0008\uffff\ud800 "\'';
  const snapshot = aSnapshot(now, {
    site: { name: hostile, url: 'https://status.example.com' },
    incidents: [
      anIncident(now, {
        title: hostile,
        updates: [{ id: 'u', at: now, phase: 'investigating', body: hostile }],
      }),
    ],
  });

  test.each([
    ['atom', atom({ now, snapshot })],
    ['rss', rss({ now, snapshot })],
  ])('in %s neither leaves its place nor breaks the XML', (_, xml) => {
    expect(xml).not.toContain('<script');
    // eslint-disable-next-line no-control-regex -- just these make a feed unreadable
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\uffff]|[\ud800-\udfff]/u);
    for (const block of xml.matchAll(/<!\[CDATA\[([\s\S]*?)\]\]>/g))
      expect(
        elements(block[1] ?? '').filter((name) => !['p', 'small', 'br', 'strong'].includes(name)),
      ).toEqual([]);
  });
});

function elements(html: string): readonly string[] {
  const found: string[] = [];
  const walk = (node: { childNodes?: unknown[]; tagName?: string }) => {
    if (node.tagName) found.push(node.tagName);
    for (const child of node.childNodes ?? []) walk(child as typeof node);
  };
  walk(parseFragment(html) as never);
  return found;
}

test('escaping leaves plain text as it is', () => {
  expect(escapeHtml('a < b & "c"')).toBe('a &lt; b &amp; &quot;c&quot;');
  expect(xmlSafe('ein Wort 😀\n\tzwei')).toBe('ein Wort 😀\n\tzwei');
  expect(xmlSafe('a\u0000b\u001fc')).toBe('abc');
});
