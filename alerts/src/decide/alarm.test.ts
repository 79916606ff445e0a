import { expect, it } from 'vitest';
import { alarmOver, alarmRaised } from './alarm.ts';
import { escalate, newLadder } from './escalate.ts';
import type { Ladder, LadderEvent } from './ladder.ts';

const alarm = { key: 'contradiction eu-1 7', title: 'Two batches', because: 'why', remedy: 'do this' };
const decide = escalate([{ match: { impact: ['major'] }, steps: [{ afterMs: 0, notify: ['ops'] }] }]);

function play(...events: LadderEvent[]): { ladder: Ladder | undefined; said: string[] } {
  let ladder: Ladder | undefined;
  const said: string[] = [];
  for (const event of events) {
    if (!('incident' in event)) throw new Error('an incident was expected');
    const [next, sends] = decide(ladder ?? newLadder(event.incident, event.at), event, event.at);
    ladder = next;
    said.push(...sends.map(({ why }) => why));
  }
  return { ladder, said };
}

it('is an incident of no service, with what to do, that its key names', () => {
  const { incident, type } = alarmRaised(alarm, 9);
  expect(type).toBe('reopened');
  expect(incident).toMatchObject({
    id: 'alarm-contradiction-eu-1-7',
    key: 'alarm:contradiction eu-1 7',
    impact: 'major',
    startedAt: 9,
    services: [],
    remedy: 'do this',
  });
  expect(incident.updates.map(({ body }) => body)).toEqual(['why']);
});

it.each([
  ['raised', [alarmRaised(alarm, 1)], ['opened']],
  ['raised twice', [alarmRaised(alarm, 1), alarmRaised(alarm, 1)], ['opened']],
  ['cleared', [alarmRaised(alarm, 1), alarmOver(alarmRaised(alarm, 1).incident, 2)], ['opened', 'over']],
  [
    'back again',
    [alarmRaised(alarm, 1), alarmOver(alarmRaised(alarm, 1).incident, 2), alarmRaised(alarm, 3)],
    ['opened', 'over', 'again'],
  ],
])('%s', (_, events, expected) => {
  expect(play(...events).said.filter((why) => why !== 'state')).toEqual(expected);
});
