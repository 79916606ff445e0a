import { expect, it } from 'vitest';
import type { Impact } from '@highwater/config/domain.ts';
import type { Policy } from '@highwater/config/model.ts';
import { alarmKey, blindKey, collectorKey, policyKey, route } from './route.ts';

const steps = [{ afterMs: 0, notify: ['ops'] }];
const incident = (impact: Impact, services: string[], key = 'service:a') => ({
  id: 'i',
  key,
  title: 't',
  impact,
  phase: 'investigating' as const,
  startedAt: 0,
  updatedAt: 0,
  services,
  nodes: [],
  updates: [],
});
const any: Policy = { match: {}, steps };
const major: Policy = { match: { impact: ['major', 'critical'] }, steps };
const onA: Policy = { match: { services: ['a'] }, steps };
const minorOnB: Policy = { match: { impact: ['minor'], services: ['b'] }, steps };

it.each([
  ['impact none never alerts', incident('none', ['a']), [any, major, onA], []],
  ['a list left out matches all', incident('minor', ['z']), [any, major, onA], [any]],
  ['impact must be listed', incident('critical', ['z']), [any, major], [any, major]],
  ['one of the services is enough', incident('minor', ['z', 'a']), [onA], [onA]],
  ['both must match', incident('minor', ['a']), [minorOnB], []],
  ['both match', incident('minor', ['b']), [minorOnB], [minorOnB]],
  ['a silent collector concerns every service', incident('major', [], collectorKey), [onA], [onA]],
  ['and so does blindness', incident('major', [], blindKey), [onA], [onA]],
  ['and an alarm', incident('major', [], `${alarmKey}log`), [onA], [onA]],
  [
    'and keeps to the impact where a policy asks for it',
    incident('major', [], collectorKey),
    [minorOnB, major],
    [major],
  ],
  ['and goes to all rather than to nobody', incident('major', [], collectorKey), [minorOnB], [minorOnB]],
] as const)('%s', (_, given, policies, expected) => {
  expect(route(given, policies).map(({ policy }) => policy)).toEqual(expected);
});

it('says why', () => {
  expect(route(incident('major', ['a']), [onA])[0]?.because).toBe('a policy asks for impact major on a');
});

it('an edited policy is another one', () => {
  expect(policyKey(any)).not.toBe(policyKey({ ...any, repeatMs: 1 }));
  expect(policyKey(any)).toBe(policyKey({ ...any }));
});
