import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { deadline, type Ending } from './deadline.ts';
import { isTimeout } from './fault.ts';

const never = 1_000_000_000;

it('past its time it aborts as a time-out', async () => {
  const limit = deadline(1, new AbortController().signal);
  await new Promise<void>((resolve) => limit.addEventListener('abort', resolve));
  expect([limit.aborted, isTimeout(limit.reason)]).toEqual([true, true]);
  expect(limit.passed()).toBe(true);
});

it('ends with what it is under, before or after, and that is no time-out', () => {
  const program = new AbortController();
  const early = deadline(never, program.signal);
  let told = 0;
  early.addEventListener('abort', () => (told += 1));
  program.abort('the program ends');
  const late = deadline(never, program.signal);
  for (const each of [early, late]) {
    expect([each.aborted, each.reason, each.passed()]).toEqual([true, 'the program ends', false]);
  }
  expect(told).toBe(1);
});

it('once done it aborts what still listens, once, and not who has left', () => {
  const limit = deadline(never, new AbortController().signal);
  const told: string[] = [];
  const left = () => told.push('left');
  limit.addEventListener('abort', left);
  limit.addEventListener('abort', () => told.push('stayed'));
  limit.removeEventListener('abort', left);
  limit.done();
  limit.done();
  expect(told).toEqual(['stayed']);
});

it('whatever the number of deadlines, what they are under has one listener, and hears of none that is done', () => {
  const program = new AbortController();
  const limits = Array.from({ length: 100 }, () => deadline(never, program.signal));
  expect(getEventListeners(program.signal, 'abort')).toHaveLength(1);
  for (const limit of limits.slice(1)) limit.done();
  program.abort('the program ends');
  expect(limits.filter((limit) => limit.reason === 'the program ends')).toHaveLength(1);
});

it('once done it is held by nothing of what it is under', () => {
  const ends: (() => void)[] = [];
  let asked = 0;
  const program: Ending = {
    aborted: false,
    // Each that still follows asks why it ends.
    get reason() {
      asked += 1;
      return 'the program ends';
    },
    addEventListener: (_, listener) => void ends.push(listener),
    removeEventListener: () => undefined,
  };
  const limits = Array.from({ length: 100 }, () => deadline(never, program));
  for (const limit of limits.slice(1)) limit.done();
  for (const end of ends) end();
  expect(asked).toBe(1);
});
