import type { OperatorStatus } from '@highwater/config/wire.ts';
import { expect, it } from 'vitest';
import { statusText } from './commands/status.ts';

const at = 1_795_000_000_000;
const because = 'no answer that counts from 3 of 3 regions: the controls of the probe failed too';
const verdict = {
  subject: 'ethereum/publicnode',
  status: 'unknown' as const,
  since: at - 9_000,
  because,
  votes: [],
};
const probe = { id: 'eu-1', region: 'eu', lastHeardAt: at, current: false };
const status: OperatorStatus = {
  at,
  site: 'Example',
  services: [{ ...verdict, subject: 'ethereum' }],
  nodes: [verdict],
  monitors: [],
  heads: [],
  unwellRegions: [{ region: 'eu', name: 'Europe', state: 'offline', since: at - 9_000, because }],
  probes: [probe],
  incidents: [],
  alarms: [],
};

it.each([40, 80, 120])('in a terminal of %i columns no line is wider', (width) => {
  const text = statusText(status, {}, width);
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(width);
  // The words are all there.
  expect(text.replace(/\s+/g, ' ')).toContain(because);
});

it('into a pipe each row is one line', () => {
  expect(statusText(status, {})).toContain(`  ethereum/publicnode  unknown  for 9 s  ${because}\n`);
});

it.each([
  [{}, 'its config is not told yet'],
  [{ config: 'ab' }, 'runs an older config'],
  [{ config: 'ab', current: true }, 'runs the current config'],
  [{ contradicted: { epoch: 7, from: 3 } }, 'contradicts itself: nothing counts from number 3 of epoch 7 on'],
])('of a probe with %j it says: %s', (more, says) => {
  expect(statusText({ ...status, probes: [{ ...probe, ...more }] }, {})).toContain(`  ${says}\n`);
});

it.each([
  [[], 'bodies kept from 2026-11-21\n'],
  [
    [{ month: '2026-11', until: Date.UTC(2027, 11, 16) }],
    'bodies kept from 2026-11-21; November 2026 can be counted again until 2027-12-16\n',
  ],
  [
    [
      { month: '2026-12', until: Date.UTC(2027, 11, 26) },
      { month: '2026-11', until: Date.UTC(2027, 11, 16) },
    ],
    'bodies kept from 2026-11-21; December 2026 can be counted again until 2027-12-26, November 2026 until 2027-12-16\n',
  ],
])('of the evidence that is kept it says a line (%#)', (recomputable, says) => {
  const bodies = { keptFrom: '2026-11-21', recomputable };
  expect(statusText(status, {})).not.toContain('bodies');
  expect(statusText({ ...status, bodies }, {}).split('\n')).toContain(says.trimEnd());
  for (const line of statusText({ ...status, bodies }, {}, 40).split('\n')) {
    expect(line.length, line).toBeLessThanOrEqual(40);
  }
});

it('alarms have a block of their own, with what to do', () => {
  expect(statusText(status, {})).not.toContain('alarms');
  const alarm = {
    key: 'log',
    id: 'alarm-log',
    title: 'Nothing is signed',
    because: 'why',
    remedy: 'do this',
  };
  const text = statusText({ ...status, alarms: [{ ...alarm, since: at - 9_000 }] }, {});
  expect(text).toContain('alarms\n  alarm-log  Nothing is signed  for 9 s');
  expect(text).toContain('why  do this\n');
});
