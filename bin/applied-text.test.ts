import type { ConfigApplied } from '@highwater/config/wire.ts';
import { expect, it } from 'vitest';
import { appliedText } from './applied-text.ts';

const none = { added: [], removed: [], changed: [] };
const at = Date.UTC(2026, 10, 21, 12, 0, 30);
const applied = (over: Partial<ConfigApplied>): ConfigApplied => ({
  result: 'applied',
  config: 'LEAF',
  isNewLeaf: false,
  file: '/srv/hw.yaml',
  inForceFrom: at,
  at,
  changes: { services: none, nodes: none, monitors: none, probes: none, other: [] },
  ...over,
});

it('names the leaf only where one was written, and the file always', () => {
  const changes = { ...applied({}).changes, other: ['witnesses'] };
  expect(appliedText(applied({ changes })))
    .toBe(`applied: in force now: what it changes has no part in what is counted
  other  witnesses
  file /srv/hw.yaml
  no new leaf: nothing that is public changed
`);
  const logged = applied({ isNewLeaf: true, inForceFrom: at + 30_000 });
  expect(appliedText(logged)).toBe(
    'applied: in force from 2026-11-21 12:01:00 UTC\n  file /srv/hw.yaml\n  leaf LEAF\n',
  );
  expect(appliedText(applied({ result: 'unchanged' }))).toMatch(/^unchanged: \/srv\/hw\.yaml is what runs/);
});
