import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Impact, Incident } from '@highwater/config/domain.ts';
import type { Policy } from '@highwater/config/model.ts';
import { HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { escalate, flapHoldMs, newLadder, reroute, settleMs, wakeAt } from './escalate.ts';
import type { Ladder, LadderEvent, Send } from './ladder.ts';

const minute = MINUTE_MS;
const every: Policy = { match: {}, steps: [{ afterMs: 0, notify: ['ops'] }] };
const ladderOfSteps: Policy = {
  match: { impact: ['major', 'critical'] },
  steps: [
    { afterMs: 0, notify: ['ops'] },
    { afterMs: 5 * minute, notify: ['mail'] },
    { afterMs: 10 * minute, notify: ['pager', 'ops'] },
  ],
  repeatMs: HOUR_MS,
};

function incident(impact: Impact = 'major', update = 1): Incident {
  return {
    id: 'i',
    key: 'service:rpc',
    title: 'RPC is down',
    impact,
    phase: 'investigating',
    startedAt: 0,
    updatedAt: update,
    services: ['rpc'],
    nodes: [],
    updates: [{ id: `u${update}`, at: update, phase: 'investigating', body: 'down' }],
  };
}

type Kind = 'opened' | 'updated' | 'reopened' | 'resolved';
const event = (type: Kind, at: number, given = incident()): LadderEvent => ({ type, incident: given, at });

/** Runs events at their times; before each, the ticks that the ladder asked for. */
function play(policies: readonly Policy[], events: readonly [number, LadderEvent][], untilMs?: number) {
  const decide = escalate(policies);
  let ladder: Ladder | undefined;
  const said: string[] = [];
  const keys: string[] = [];
  const note = (at: number, sends: readonly Send[]) => {
    for (const { channel, why, reason, key } of sends) {
      said.push(`${at / 1_000}s ${channel} ${why}/${reason}`);
      keys.push(key);
    }
  };
  const tickUntil = (end: number) => {
    for (let guard = 0; ladder !== undefined; guard += 1) {
      const at = wakeAt(policies, ladder);
      if (at === null || at >= end) return;
      if (guard > 1_000) throw new Error(`it keeps asking for ${at}`);
      const [next, sends] = decide(ladder, { type: 'tick' }, at);
      ladder = next;
      note(at, sends);
    }
  };
  for (const [at, happened] of events) {
    tickUntil(at);
    ladder ??= newLadder('incident' in happened ? happened.incident : incident(), at);
    const [next, sends] = decide(ladder, happened, at);
    ladder = next;
    note(at, sends);
  }
  if (untilMs !== undefined) tickUntil(untilMs);
  if (!ladder) throw new Error('no events');
  return { said, keys, ladder };
}

const at = (ms: number, type: Kind, given = incident()): [number, LadderEvent] => [
  ms,
  event(type, ms, given),
];
const ack = (ms: number): [number, LadderEvent] => [ms, { type: 'acknowledged', by: 'ana', at: ms }];

describe('who is told what, and when', () => {
  const rows: [string, readonly Policy[], [number, LadderEvent][], number | undefined, string[]][] = [
    ['the first step at once', [every], [at(0, 'opened')], minute, ['0s ops opened/first']],
    ['nobody without a policy', [], [at(0, 'opened')], HOUR_MS, []],
    ['nobody for impact none', [every], [at(0, 'opened', incident('none'))], HOUR_MS, []],
    [
      'as soon as the impact is no longer none',
      [every],
      [at(0, 'opened', incident('none')), at(minute, 'updated', incident('minor', 2))],
      HOUR_MS,
      ['60s ops opened/first'],
    ],
    [
      'later steps unless acknowledged; a channel that has the thread is told of the step in it',
      [{ ...ladderOfSteps, repeatMs: 10 * HOUR_MS }],
      [at(0, 'opened')],
      HOUR_MS,
      ['0s ops opened/first', '300s mail step/first', '600s pager step/first', '600s ops step/escalated'],
    ],
    [
      'no later step and no repeat once acknowledged; the first message shows it',
      [ladderOfSteps],
      [at(0, 'opened'), ack(minute)],
      10 * HOUR_MS,
      ['0s ops opened/first', '60s ops state/changed'],
    ],
    [
      'repeats every hour to all that were told by the policy',
      [{ ...ladderOfSteps, steps: ladderOfSteps.steps.slice(0, 2) }],
      [at(0, 'opened')],
      2 * HOUR_MS + 1,
      [
        '0s ops opened/first',
        '300s mail step/first',
        '3600s ops repeat/repeat',
        '3600s mail repeat/repeat',
        '7200s ops repeat/repeat',
        '7200s mail repeat/repeat',
      ],
    ],
    [
      'one message though two policies name the channel',
      [every, { match: { services: ['rpc'] }, steps: [{ afterMs: 0, notify: ['ops', 'mail'] }] }],
      [at(0, 'opened')],
      minute,
      ['0s ops opened/first', '0s mail opened/first'],
    ],
    [
      'a changed state edits; the same state again says nothing',
      [every],
      [
        at(0, 'opened'),
        at(1_000, 'updated', incident('major', 2)),
        at(2_000, 'updated', incident('major', 2)),
      ],
      minute,
      ['0s ops opened/first', '1s ops state/changed'],
    ],
    [
      'a rise within two minutes edits, and is told if it is still so after them',
      [every],
      [at(0, 'opened', incident('minor')), at(10_000, 'updated', incident('major', 2))],
      HOUR_MS,
      ['0s ops opened/first', '10s ops state/changed', '120s ops worse/escalated'],
    ],
    [
      'a rise that is gone within two minutes is not told',
      [every],
      [
        at(0, 'opened', incident('minor')),
        at(10_000, 'updated', incident('major', 2)),
        at(20_000, 'updated', incident('minor', 3)),
      ],
      HOUR_MS,
      ['0s ops opened/first', '10s ops state/changed', '20s ops state/changed'],
    ],
    [
      'a rise later on is told at once, and brings in the policies for it, acknowledged or not',
      [every, { match: { impact: ['critical'] }, steps: [{ afterMs: 0, notify: ['pager'] }] }],
      [at(0, 'opened'), ack(1_000), at(5 * minute, 'updated', incident('critical', 2))],
      HOUR_MS,
      [
        '0s ops opened/first',
        '1s ops state/changed',
        '300s ops state/changed',
        '300s pager opened/first',
        '300s ops worse/escalated',
      ],
    ],
    [
      'a fall of the impact stops no step that is under way',
      [ladderOfSteps],
      [at(0, 'opened'), at(minute, 'updated', incident('minor', 2))],
      6 * minute,
      ['0s ops opened/first', '60s ops state/changed', '300s mail step/first'],
    ],
    [
      'recovery to those that were told, and nothing after it',
      [ladderOfSteps],
      [at(0, 'opened'), at(minute, 'resolved')],
      10 * HOUR_MS,
      ['0s ops opened/first', '60s ops over/resolved'],
    ],
    [
      'no recovery of what goes on as part of a wider incident: an edit',
      [every],
      [at(0, 'opened'), at(minute, 'resolved', { ...incident(), mergedInto: 'wide' })],
      HOUR_MS,
      ['0s ops opened/first', '60s ops state/changed'],
    ],
    [
      'no recovery to those that were told nothing',
      [{ match: {}, steps: [{ afterMs: 5 * minute, notify: ['ops'] }] }],
      [at(0, 'opened'), at(minute, 'resolved')],
      HOUR_MS,
      [],
    ],
    [
      'a return in the same thread, with its steps from the beginning and the acknowledgement void',
      [ladderOfSteps],
      [at(0, 'opened'), ack(1_000), at(minute, 'resolved'), at(2 * minute, 'reopened', incident('major', 2))],
      8 * minute,
      [
        '0s ops opened/first',
        '1s ops state/changed',
        '60s ops over/resolved',
        '120s ops state/changed',
        '120s ops again/escalated',
        '420s mail step/first',
      ],
    ],
    [
      'a note on what is over edits',
      [every],
      [at(0, 'opened'), at(minute, 'resolved'), at(HOUR_MS, 'updated', incident('major', 9))],
      2 * HOUR_MS,
      ['0s ops opened/first', '60s ops over/resolved', '3600s ops state/changed'],
    ],
    [
      'nothing twice when an event comes twice',
      [every],
      [at(0, 'opened'), at(0, 'opened')],
      minute,
      ['0s ops opened/first'],
    ],
  ];
  it.each(rows)('%s', (_, policies, events, untilMs, expected) => {
    expect(play(policies, events, untilMs).said).toEqual(expected);
  });

  it('a feed read late escalates as if it had been read in time', () => {
    const decide = escalate([ladderOfSteps]);
    const [, sends] = decide(newLadder(incident(), 0), event('opened', 0), 6 * minute);
    expect(sends.map(({ channel, why }) => `${channel} ${why}`)).toEqual(['ops opened', 'mail step']);
  });

  it('from the third return within an hour on, recovery waits until it has held for ten minutes', () => {
    const cycle = Array.from({ length: 12 }, (_, index): [number, LadderEvent][] => [
      at(index * 4 * minute, index === 0 ? 'opened' : 'reopened', incident('major', index)),
      at(index * 4 * minute + minute, 'resolved', incident('major', index + 100)),
    ]).flat();
    const { said } = play([every], cycle, 3 * HOUR_MS);
    const own = said.filter((line) => !line.includes('changed'));
    expect(own).toHaveLength(8);
    const last = (11 * 4 + 1) * minute;
    expect(own.at(-1)).toBe(`${(last + flapHoldMs) / 1_000}s ops over/resolved`);
  });

  it('an edited policy does not tell again what a channel was told', () => {
    const { ladder } = play([every], [at(0, 'opened')]);
    const edited: Policy = { ...every, repeatMs: HOUR_MS };
    const [, sends] = escalate([edited])(ladder, { type: 'tick' }, 10 * minute);
    expect(sends).toEqual([]);
  });

  it('what a channel could not deliver goes to one that works, once, and recovery follows there', () => {
    const { ladder } = play([every], [at(0, 'opened')]);
    const failed = { channel: 'ops', why: 'HTTP 404' };
    const [passed, sends] = reroute(ladder, failed, ['mail', 'pager'], 1_000);
    expect(sends.map(({ channel, why, reason }) => [channel, why, reason])).toEqual([
      ['mail', 'undelivered', 'first'],
    ]);
    expect(reroute(passed, failed, ['mail'], 2_000)[1]).toEqual([]);
    const [, recovery] = escalate([every])(passed, event('resolved', minute), minute);
    expect(recovery.map(({ channel }) => channel)).toEqual(['ops', 'mail']);
  });

  it('says why', () => {
    const { ladder } = play([ladderOfSteps], [at(0, 'opened')], 6 * minute);
    expect(ladder.because).toEqual([
      'opened: a policy asks for impact major',
      'step: not acknowledged for 5m',
    ]);
  });
});

describe('whatever happens', () => {
  const impacts = fc.constantFrom<Impact>('none', 'minor', 'major', 'critical');
  const policy: fc.Arbitrary<Policy> = fc.record({
    match: fc.record({ impact: fc.uniqueArray(impacts, { minLength: 1 }) }, { requiredKeys: [] }),
    steps: fc.array(
      fc.record({
        afterMs: fc.constantFrom(0, 1_000, 5 * minute, HOUR_MS),
        notify: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    repeatMs: fc.constantFrom(10 * minute, HOUR_MS),
  });
  const happening = fc.record({
    afterMs: fc.constantFrom(0, 1_000, minute, settleMs, 7 * minute, 2 * HOUR_MS),
    type: fc.constantFrom<Kind | 'acknowledged'>('opened', 'updated', 'reopened', 'resolved', 'acknowledged'),
    impact: impacts,
  });
  const history = fc.array(happening, { minLength: 1, maxLength: 25 }).map((steps) => {
    let now = 0;
    return steps.map(({ afterMs, type, impact }, index): [number, LadderEvent] => {
      now += afterMs;
      return type === 'acknowledged' ? ack(now) : at(now, type, incident(impact, index));
    });
  });

  it('keys are unique, and the same history gives the same messages', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 3 }), history, (policies, events) => {
        const one = play(policies, events);
        expect(new Set(one.keys).size).toBe(one.keys.length);
        expect(play(policies, events)).toEqual(one);
      }),
    );
  });

  it('a channel is told of recovery only after it was told of trouble, and once', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 3 }), history, (policies, events) => {
        const open = new Map<string, boolean>();
        for (const line of play(policies, events).said) {
          const [, channel = '', what = ''] = line.split(' ');
          if (what === 'over/resolved') {
            expect(open.get(channel)).toBe(true);
            open.set(channel, false);
          } else if (!what.endsWith('changed')) open.set(channel, true);
        }
      }),
    );
  });

  it('the first message of a channel is `first`, and no other one is', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 3 }), history, (policies, events) => {
        const seen = new Set<string>();
        for (const line of play(policies, events).said) {
          const [, channel = '', what = ''] = line.split(' ');
          expect(what.endsWith('/first')).toBe(!seen.has(channel));
          seen.add(channel);
        }
      }),
    );
  });

  it('at one time a channel gets one message of its own at most', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 3 }), history, (policies, events) => {
        // Events that share an instant are several decisions.
        const apart = events.map(([ms, given], index): [number, LadderEvent] => [ms + index, given]);
        const own = play(policies, apart).said.filter((line) => !line.endsWith('/changed'));
        const places = own.map((line) => line.split(' ').slice(0, 2).join(' '));
        expect(new Set(places).size).toBe(places.length);
      }),
    );
  });

  it('nothing but recovery and edits is told once it is over, and it asks for no tick', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 3 }), history, (policies, events) => {
        const { ladder } = play(policies, events);
        if (ladder.state !== 'over') return;
        expect(wakeAt(policies, ladder)).toBeNull();
        expect(escalate(policies)(ladder, { type: 'tick' }, 1e12)[1]).toEqual([]);
      }),
    );
  });

  it('after a tick it asks for a later one: no loop without time', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 3 }), history, (policies, events) => {
        const { ladder } = play(policies, events);
        const due = wakeAt(policies, ladder);
        if (due === null) return;
        const [next] = escalate(policies)(ladder, { type: 'tick' }, due);
        expect(wakeAt(policies, next) ?? Infinity).toBeGreaterThan(due);
      }),
    );
  });
});
