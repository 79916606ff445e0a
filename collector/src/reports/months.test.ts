/** Reports of months that follow each other: what the earlier ones leave to the later ones. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { totalsOf } from '@highwater/config/report/figures.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { afterEach, expect, it, vi } from 'vitest';
import { regions } from '../testing/config.ts';
import { eventually } from '../testing/house.ts';
import { ReportHouse } from '../testing/report-house.ts';
import { LOG_SHARD } from '../watched.ts';
import { readReports, REPORT_CORE } from './states.ts';

// Real processes of others share this machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let world: ReportHouse;
afterEach(() => world.drop());

/** The month's integers are those that the page answers with. */
async function expectLedger(month: string): Promise<void> {
  const report = await world.sound(month);
  expect(report.counted.services.map(({ id }) => id).sort()).toEqual(['rpc', 'web']);
  for (const service of report.counted.services) {
    const { totals } = await world.open.json<{ totals: Record<string, number> }>(
      `/v1/uptime?subject=${service.id}&period=${month}`,
    );
    const own = totalsOf(service, service.id);
    for (const key of ['up', 'down', 'maintenance'] as const)
      expect([month, service.id, key, own?.[key]]).toEqual([month, service.id, key, totals[key]]);
  }
}

const minuteAt = (...of: [number, number, number, number?, number?]): number => Date.UTC(...of) / MINUTE_MS;

it('a second month begins where the first had counted to, which is known when its report was let go', async () => {
  world = new ReportHouse(Date.UTC(2026, 9, 30, 12));
  world.config = { ...world.config, retention: { ...world.config.retention, reportsMs: 8 * DAY_MS } };
  await world.start();
  await world.pass(minuteAt(2026, 9, 30, 12, 1), 6, [2, 3]);
  await world.passOn(minuteAt(2026, 10, 1));
  await world.restartAt(Date.UTC(2026, 10, 3) + 1_000);
  await world.published('2026-10');
  await expectLedger('2026-10');
  const first = await world.sound('2026-10');

  await world.pass(minuteAt(2026, 10, 10, 6), 4, [1]);
  await world.stop();
  world.now = Date.UTC(2026, 10, 12);
  await world.pack();
  await world.start();
  // A second part of the same day; late ones of October; and what is packed no more.
  await world.send(minuteAt(2026, 10, 10, 7));
  await world.send(minuteAt(2026, 9, 30, 13), false, ['us', 'sg']);
  await world.stop();
  world.now += 3 * HOUR_MS;
  await world.pack();
  await world.start();
  await eventually(async () => (await world.list()).reports.length === 0);
  await world.pass(minuteAt(2026, 10, 20, 6), 3);
  await world.passOn(minuteAt(2026, 11, 1));
  await world.restartAt(Date.UTC(2026, 11, 3) + 1_000);
  await world.published('2026-11');
  await expectLedger('2026-11');

  const second = await world.sound('2026-11');
  const { evidence } = await world.check('2026-11');
  expect(evidence.range.trees[0]?.start).toBeGreaterThan(0);
  expect(evidence.range.before).toEqual(first.logs.map(({ year, size }) => ({ year, size })));
  // The configuration and the keys of October are what November stands on.
  expect(evidence.range.leaves.length).toBeGreaterThan(regions.length);
  expect(second.counted.later.map(({ month, probe, batches }) => [month, probe, batches])).toEqual([
    ['2026-10', 'sg-1', 1],
    ['2026-10', 'us-1', 1],
  ]);
  expect(second.counted.missing).toEqual([]);
  expect(second.told.before.map(({ month }) => month)).toEqual(['2026-10']);
  expect((await world.ask('2026-10', '{"revise":true}')).status).toBe(202);
  await world.published('2026-10', 2);
  // It is as old as when it was made.
  await world.restartAt(world.now + MINUTE_MS);
  await world.sound('2026-10');
  const packs = await (async () => {
    await world.stop();
    return world.inStore((store) => store.read(LOG_SHARD, (tx) => tx.packsBefore(99_999, 99)));
  })();
  expect(packs.some(({ part }) => part > 0)).toBe(true);
});

it('a month over New Year is counted from two logs, and January from the new one', async () => {
  world = new ReportHouse(Date.UTC(2026, 11, 31, 23, 50));
  await world.start();
  await world.pass(minuteAt(2026, 11, 31, 23, 51), 4, [1]);
  world.now = Date.UTC(2027, 0, 1, 0, 1);
  // Of the old year, logged in the new one.
  await world.send(minuteAt(2026, 11, 31, 23, 56));
  await world.pass(minuteAt(2027, 0, 1, 0, 3), 4, [2]);
  await world.restartAt(Date.UTC(2027, 0, 3) + 1_000);
  await world.published('2026-12');
  const december = await world.sound('2026-12');
  expect(december.logs.map(({ year }) => year)).toEqual([2026, 2027]);
  await expectLedger('2026-12');

  await world.pass(minuteAt(2027, 0, 20), 2);
  await world.passOn(minuteAt(2027, 1, 1));
  await world.restartAt(Date.UTC(2027, 1, 3) + 1_000);
  await world.published('2027-01');
  const january = await world.sound('2027-01');
  expect(january.logs.map(({ year }) => year)).toEqual([2027]);
  await expectLedger('2027-01');
  const { evidence } = await world.check('2027-01');
  expect(evidence.range.leaves.some(({ year }) => year === 2026)).toBe(true);
});

it('what cannot be finished gives way to another revision; so does what a restore has taken', async () => {
  world = new ReportHouse(Date.UTC(2026, 9, 30, 12));
  await world.start();
  await world.pass(minuteAt(2026, 9, 30, 12, 1), 2);
  await world.passOn(minuteAt(2026, 10, 1));
  await world.restartAt(Date.UTC(2026, 10, 3) + 1_000);
  await world.published('2026-10');
  await world.stop();
  // As one that was killed before it had its name, whose part was damaged after it was made.
  const folder = join(world.dataDir, 'collector', 'reports');
  await world.inStore((store) =>
    store.transact(LOG_SHARD, async (tx) => {
      const [row] = await readReports(tx);
      const leaf = (await tx.leaves()).find(({ kind }) => kind === 'report');
      if (row?.state.phase !== 'published' || leaf === undefined) throw new Error('it is not published');
      const { madeAt, headline, bytes } = row.state;
      const { note, hash, index } = leaf;
      const archive = { length: 1_000, bytes, crc32: 1 };
      const state = { phase: 'logged', madeAt, headline, archive, leafText: note, note, leaf: hash, index };
      await tx.putState(REPORT_CORE, '2026-10.1', row.version, state);
    }),
  );
  for (const name of readdirSync(folder)) {
    const isIndex = name.endsWith('.json');
    const part = name.replace('.tar.gz', '.tar.gz.part');
    const bytes = readFileSync(join(folder, name));
    writeFileSync(join(folder, part), isIndex ? bytes.subarray(0, 40) : bytes);
  }
  await world.start();
  const second = await world.published('2026-10', 2);
  expect(second.differences).toBeUndefined();
  expect((await world.sound('2026-10')).revision).toBe(2);

  await world.stop();
  await world.inStore((store) =>
    store.transact(LOG_SHARD, async (tx) => {
      for (const { month, revision, version } of await readReports(tx))
        await tx.putState(REPORT_CORE, `${month}.${revision}`, version, { phase: 'dropped' });
    }),
  );
  await world.start();
  await world.published('2026-10', 3);
  await world.sound('2026-10');
});
