/**
 * Ten minutes of scripted faults on real processes; then the collector's slots must equal, integer for
 * integer, a plain tally of what the probes recorded beside the system.
 * HIGHWATER_MINUTES sets the length: whole rounds of five minutes, at whose end every fault is over.
 */
import { expect, it } from 'vitest';
import { getJson, startAnvil, until, type Process } from '../e2e/process.ts';
import { regions, services, startWorld } from '../e2e/world.ts';
import { plainTally, readRecords } from './tally.ts';

const minutes = Math.max(1, Math.round(Number(process.env['HIGHWATER_MINUTES'] ?? 10) / 5)) * 5;

/** Resolves when the wall clock reaches `at`: simulated time is not to be had with real processes. */
function clock(at: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(0, at - Date.now())));
}

it(`${minutes} minutes of faults: slots equal the plain tally`, async () => {
  await using world = await startWorld();
  await using again = new AsyncDisposableStack();
  const from = Math.ceil(Date.now() / 60_000) * 60_000;
  const at = (second: number) => clock(from + second * 1_000);
  const node = (id: string) => world.nodes[id];

  /** One fault a step, seconds from the start; the script repeats every five minutes. */
  const script: [number, () => unknown][] = [
    [20, () => node('alpha')?.signal('SIGSTOP')],
    [65, () => node('alpha')?.signal('SIGCONT')],
    [80, () => world.probes.get('us')?.signal('SIGSTOP')],
    [110, () => node('beta')?.signal('SIGSTOP')],
    [130, () => world.probes.get('us')?.signal('SIGCONT')],
    [155, () => node('beta')?.signal('SIGCONT')],
    [170, () => node('gamma')?.signal('SIGKILL')],
    [
      205,
      async () => {
        const { port } = new URL(node('gamma')?.url ?? '');
        const started = again.use(await startAnvil({ port: Number(port) }));
        (world.nodes as Record<string, Process>)['gamma'] = started;
      },
    ],
    [
      220,
      async () => {
        world.collector.signal('SIGKILL');
        await world.collector.gone;
        world.collector = await world.startCollector();
      },
    ],
    [250, () => node('alpha')?.signal('SIGSTOP')],
    [254, () => node('alpha')?.signal('SIGCONT')],
    [
      270,
      async () => {
        world.probes.get('eu')?.signal('SIGTERM');
        await world.probes.get('eu')?.gone;
        await world.startProbe('eu');
      },
    ],
  ];
  for (let start = 0; start < minutes * 60; start += 300) {
    for (const [second, strike] of script) {
      if (start + second >= minutes * 60) break;
      await at(start + second);
      await strike();
    }
  }
  await at(minutes * 60);

  const first = from / 60_000;
  const last = first + minutes - 1;
  // Settled: every probe's batches have gone past the last minute.
  await until('every region has delivered the last minute', 240_000, async () => {
    const { probes } = await getJson<{ probes: { closedMinute?: number }[] }>(
      `${world.collector.url}/v1/status`,
    );
    return probes.length === regions.length && probes.every(({ closedMinute }) => (closedMinute ?? 0) > last);
  });

  const records = regions.flatMap((region) => readRecords(world.recordOf(`${region}-1`)));
  const plain = plainTally(records, regions.length, 2_000);
  const differences: unknown[] = [];
  const counts = { up: 0, down: 0, unknown: 0 };
  for (const service of services) {
    for (const check of ['head', 'jsonrpc']) {
      const monitor = `${service}/main/${check}`;
      for (let minute = first; minute <= last; minute += 1) {
        const expected = plain.get(`${monitor} ${minute}`) ?? 'unknown';
        const why = await getJson<{ slot?: { state: string } }>(
          `${world.collector.url}/v1/why?monitor=${encodeURIComponent(monitor)}&at=${minute * 60_000}`,
        );
        counts[expected] += 1;
        if (why.slot?.state !== expected) differences.push({ monitor, minute, expected, got: why.slot });
      }
    }
  }
  console.log(`${records.length} records; slots by the plain tally: ${JSON.stringify(counts)}`);
  expect(differences).toEqual([]);
  expect(counts.down).toBeGreaterThan(0);
  expect(counts.up).toBeGreaterThan(0);
});
