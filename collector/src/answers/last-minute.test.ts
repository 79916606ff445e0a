/** The last minute that an answer names is one that was counted: windows are waited for after it is over. */
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { expect, it } from 'vitest';
import { decodeDay } from '../slots/day.ts';
import { lastClosed, openSlots } from '../slots/slots.ts';
import { memoryStore } from '../testing/memory-store.ts';
import { blobs, clockAt, declare, FIRST, smallConfig } from '../testing/small-house.ts';
import { watch } from '../watched.ts';
import { openLedger } from './ledger.ts';
import { uptimeOf } from './uptime.ts';

it('the last minute of 24 hours has a slot while a window of ten minutes goes on', async () => {
  const config = smallConfig(() => 600_000);
  const store = memoryStore();
  await declare(store, config);
  const clock = clockAt(() => (FIRST + 69) * MINUTE_MS + 20_000);
  const watched = watch(config);
  const slots = openSlots(watched, store, blobs, clock);
  await slots.beat();
  const parts = { watched, ledger: openLedger(slots), clock };
  const told = await uptimeOf(parts, { subject: 'web', range: { period: '24h' } });
  const last = told?.lastMinute ?? 0;
  expect(last).toBeLessThan(lastClosed(clock.now()));
  const block = await slots.block('service:web', 'slots', Math.floor(last / MINUTES_PER_DAY), 'web');
  if (block === undefined) throw new Error('nothing was counted');
  const slot = (minute: number): number => decodeDay(block).get('')?.slots[minute % MINUTES_PER_DAY] ?? 0;
  expect(slot(last)).not.toBe(0);
  expect(slot(last + 1)).toBe(0);
});
