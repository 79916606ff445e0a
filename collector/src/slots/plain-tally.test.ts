/**
 * What is judged from lines as they come, in batches that overlap, repeat and contradict each other, equals a tally in the
 * plainest words of the rule, which looks at all lines at once and shares no code with it.
 */
import type { Batch } from '@highwater/config/proof/batch.ts';
import type { RuleConfig } from '@highwater/config/proof/projection.ts';
import type { ConfigInForce } from '@highwater/config/proof/rule/timeline.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CommitRow, ReadTx } from '../store/store.ts';
import type { Blocks } from './blocks.ts';
import { Book, symbolIn } from './book.ts';
import { slotOfByte } from './byte.ts';
import { evaluateMinute, type JudgedWindows } from './evaluate-minutes.ts';
import type { Ground } from './ground.ts';
import { layoutOf } from './layout.ts';
import { rosters } from './rosters.ts';
import { changeOf, type ReadBatch } from './standing.ts';
import { byteOfSymbol, failedOfSymbol, requestsOfSymbol } from './symbol.ts';
import {
  FIRST,
  monitors,
  OTHER,
  phases,
  plainly,
  type Played,
  played,
  probes,
  SEED,
  type Sent,
  type Told,
  voidFrom,
} from '../testing/plain-tally.ts';
import { TallyBook } from './tally-book.ts';
import { windowFinder } from './windows.ts';

const DAY = 20_000;
const MINUTES = [0, 1, 2, 3].map((minute) => FIRST + minute);

const config: RuleConfig = {
  seed: SEED,
  regions: ['eu', 'us', 'sg'],
  probes,
  controls: [],
  chains: [],
  services: [
    {
      id: 'rpc',
      minUp: 1,
      visibility: 'public',
      nodes: ['a', 'b'].map((id) => ({ id, zone: 'z', operator: id, urlHash: '00'.repeat(32) })),
    },
  ],
  monitors,
};

function inForce(hash: string, entry: (id: string) => string): ConfigInForce {
  return {
    hash,
    config,
    monitors: new Map(monitors.map((monitor) => [monitor.id, monitor])),
    entries: new Map(monitors.map(({ id }) => [id, entry(id)])),
  };
}
const now = inForce('now', (id) => id);
/** What a batch may have run: what is in force, one that asks the same, one that asks one monitor otherwise, none known. */
const configs = new Map([
  ['now', now],
  ['same', inForce('same', (id) => id)],
  ['other', inForce('other', (id) => (id === OTHER ? 'otherwise' : id))],
]);

// ----------------------------------------------------------------- what is played

const said = [
  'ok 100 -',
  'ok 100 - h=70 m.eth_call=42',
  'degraded 900 target.rpc.slow',
  'fail 5 target.connect.refused',
  'fail 7 target.head.old h=3',
  'fail 9 target.connect.refused',
  'skipped 0 probe.loop.late',
  'fail 1 probe.control.failed',
  'ok 100 - late=10000',
  'ok 100 - late=10001',
  'fail 3 target.connect.refused late=30001',
  'ok 100 - h=70 re=1',
  'fail 3 target.connect.refused re=1',
];

const rarely = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const batch: fc.Arbitrary<Sent> = fc.record({
  probe: fc.nat(probes.length - 1),
  epoch: rarely(0, 1),
  number: fc.nat(9),
  from: fc.nat(3),
  length: fc.integer({ min: 1, max: 4 }),
  ran: rarely('now', 'same', 'other', 'none'),
  boundMs: rarely(5, 2_000, 2_001, -1),
  says: fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.nat(5) }, { weight: 2, arbitrary: fc.nat(said.length + 1) }),
    { minLength: 1, maxLength: 9 },
  ),
});

const plan = fc.record({
  sent: fc.array(batch, { maxLength: 14 }),
  /** Index of the leaf that enrols each probe's key, and of the one that revokes it. Batches begin at 10. */
  enrolled: fc.tuple(...probes.map(() => rarely(0, 12, 15))),
  revoked: fc.tuple(...probes.map(() => rarely(1_000, 13, 18))),
  /** A minute that is forgotten and read again. */
  again: fc.nat(3),
});

function linesOf({ probe, from, length, says }: Sent): string[] {
  const lines: string[] = [];
  const id = probes[probe]?.id ?? '';
  const end = Math.min(4, from + length);
  for (const monitor of monitors) {
    const phase = phases.get(`${id} ${monitor.id}`) ?? 0;
    for (let minute = FIRST + from; minute < FIRST + end; minute += 1) {
      const start = minute * MINUTE_MS;
      for (let at = start; at < start + MINUTE_MS; at += 1_000) {
        // The due time that lies within this second.
        const due = at - (at % monitor.intervalMs) + phase;
        if (due < at || due >= at + 1_000) continue;
        const choice = says[(lines.length * 7 + minute) % says.length] ?? 0;
        const text = said[choice];
        if (text !== undefined) lines.push(`${monitor.id} ${due} ${text}`);
        // Of two lines for one due time neither is believed; and one that was not due.
        else if (choice === said.length)
          lines.push(`${monitor.id} ${due} ok 1 -`, `${monitor.id} ${due} ok 2 -`);
        else lines.push(`${monitor.id} ${due - (due % 60_000) + ((due + 1) % 60_000)} ok 1 -`);
      }
    }
  }
  return lines.sort();
}

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

// ----------------------------------------------------------------- as it is done

/** Only that which differs between plans is asked of the ground. */
let current: { readonly p: Plan; readonly all: readonly Played[] };
const numberOf = (key: string): number => probes.findIndex(({ vkey }) => vkey === key);
const timeline = {
  configAt: () => now,
  configOf: (hash: string) => configs.get(hash),
  isEnrolledAt: () => true,
  isEnrolledBelow: (key: string, index: number) =>
    index >= (current.p.enrolled[numberOf(key)] ?? 0) && index <= (current.p.revoked[numberOf(key)] ?? 0),
  isMaintained: () => false,
  inForceFrom: () => undefined,
  regionsAhead: () => 0,
};
const ground = {
  timeline,
  voidFrom: (key: string, epoch: number) => voidFrom(current.all, numberOf(key), epoch),
} as Partial<Ground> as Ground;
const point = { ground, windows: windowFinder(timeline), rosterOf: rosters(timeline) };
const intern = (text: string): string => text;

function readOf(of: Played): ReadBatch {
  const { probe, epoch, number, from, length, ran, boundMs, index, lines } = of;
  const { id = '', vkey = '' } = probes[probe] ?? {};
  const minutes = { first: FIRST + from, last: FIRST + Math.min(4, from + length) - 1 };
  const clock = { boundMs, ageS: 0 };
  return {
    commit: { index } as Partial<CommitRow> as CommitRow,
    batch: { probe: id, epoch, number, minutes, config: ran, clock } as Partial<Batch> as Batch,
    key: vkey,
    bodies: new Map(lines.length === 0 ? [] : [['rpc', `${lines.join('\n')}\n`]]),
  };
}

async function made(p: Plan, all: readonly Played[]): Promise<Book> {
  current = { p, all };
  const tallies = new TallyBook();
  const read = all.map(readOf);
  const take = (first: number, last: number): void => {
    for (let minute = first; minute <= last; minute += 1) tallies.start(minute);
    for (const [i, own] of read.entries()) {
      const others = read.slice(0, i).filter(({ key }) => key === own.key);
      tallies.apply(point, changeOf(own, others, first, last, intern));
    }
  };
  take(FIRST, FIRST + 3);
  take(FIRST + p.again, FIRST + p.again);
  const book = new Book({ list: async () => [] } as Partial<Blocks> as Blocks);
  await book.open({} as ReadTx, DAY);
  const judged: JudgedWindows = new Map();
  const layout = layoutOf(now, 'service:rpc');
  for (const minute of MINUTES)
    evaluateMinute({ point, tallies, book, layout, minute, judged, isRead: () => true, kept: new Set() });
  return book;
}

const sorted = (all: ReadonlyMap<string, Told>): [string, Told][] =>
  [...all].sort(([a], [b]) => (a < b ? -1 : 1));

it('equals a tally in the plainest words, over any lines', { timeout: 300_000 }, async () => {
  const known = { up: 0, down: 0, unknown: 0 };
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const all = p.sent.map((sent, i) => played(sent, i, linesOf(sent)));
      const book = await made(p, all);
      for (const minute of MINUTES) {
        const expected = plainly(p, all, minute);
        const found = new Map<string, Told>();
        for (const place of expected.keys()) {
          const [subject = '', plane = ''] = place.split(' ');
          const symbol = symbolIn(book.planes(subject, DAY), plane, minute - FIRST);
          const slot = slotOfByte(byteOfSymbol(symbol));
          if (slot === undefined) continue;
          expect(slot.cause === undefined).toBe(slot.state !== 'unknown');
          known[slot.state] += 1;
          const [requests, failed] = [requestsOfSymbol(symbol), failedOfSymbol(symbol)];
          const { state, degraded } = slot;
          found.set(place, { state, degraded, requests, failed });
        }
        // What is agreed has its regions' requests, and none of its own.
        for (const [place, told] of expected)
          if (place.endsWith(' ')) expected.set(place, { ...told, requests: 0, failed: 0 });
        const [left, right] = [sorted(found), sorted(expected)];
        if (JSON.stringify(left) !== JSON.stringify(right)) expect(left).toEqual(right);
      }
    }),
    { numRuns: Number(process.env['TALLY_RUNS'] ?? 1_000) },
  );
  for (const state of ['up', 'down', 'unknown'] as const) expect(known[state]).toBeGreaterThan(100);
});
