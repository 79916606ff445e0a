import { expect, it } from 'vitest';
import { blindness } from './blind.ts';

const three = { eu: ['eu-1', 'eu-2'], us: ['us-1'], sg: ['sg-1'] };
const quiet = (...probes: string[]) =>
  probes.map((probe, index) => ({ probe, region: probe.slice(0, 2), since: index }));
const opened = blindness(three, quiet('us-1', 'sg-1'), undefined, 9);
const open = opened?.incident;

it.each([
  ['all heard', three, quiet(), undefined, undefined],
  ['one of three regions silent changes nothing', three, quiet('us-1'), undefined, undefined],
  ['a region is heard while one of its probes is', three, quiet('us-1', 'eu-1'), undefined, undefined],
  ['two of three silent', three, quiet('us-1', 'sg-1'), undefined, 'opened'],
  ['two silent, one of them of two probes', three, quiet('us-1', 'eu-1', 'eu-2'), undefined, 'opened'],
  ['told once', three, quiet('us-1', 'sg-1', 'eu-1'), open, undefined],
  ['a majority is back', three, quiet('sg-1'), open, 'resolved'],
  ['the only region, its probe made at start', { he: [] }, quiet('he-x'), undefined, 'opened'],
  ['of two regions both are needed', { eu: ['eu-1'], us: ['us-1'] }, quiet('us-1'), undefined, 'opened'],
  [
    'a probe that is no longer declared counts for nothing',
    { eu: ['eu-1'] },
    quiet('eu-9'),
    undefined,
    undefined,
  ],
  ['no region, no alert', {}, quiet('eu-1'), undefined, undefined],
] as const)('%s', (_, regions, silent, was, expected) => {
  expect(blindness(regions, silent, was, 10)?.type).toBe(expected);
});

it('says how many are heard, how many it takes, and who is silent', () => {
  expect(open?.updates[0]?.body).toContain('1 of 3 regions heard, 2 needed');
  expect(open?.updates[0]?.body).toContain('us-1 in us, sg-1 in sg');
});
