/**
 * Regions in trouble of their own, on real processes in network namespaces: one is suspended, one is cut off from the nodes,
 * one has its clock an hour off, one is cut off from the collector; two at a time, so that three of five are well. No
 * outage is raised but those of the script, the page says which region is unwell, and afterwards the collector's slots
 * equal a plain tally of what the probes recorded beside the system.
 * HIGHWATER_SUSPENDED_MINUTES sets how long the first stands still: five if not said.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { getJson, until } from '../e2e/process.ts';
import {
  componentsOf,
  fakeTime,
  intervalMs,
  type Region,
  regions,
  services,
  startRegions,
  unwellRegions,
} from './regions-world.ts';
import { plainTally, readRecords } from './tally.ts';

const suspendedS = Math.max(2, Number(process.env['HIGHWATER_SUSPENDED_MINUTES'] ?? 5)) * 60;
const troubleS = 150;
/** The page has two minutes to say which region is unwell. */
const toldMs = 120_000;

const missing = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...(spawnSync('ip', ['-V']).status === 0 ? [] : ['ip (Debian: iproute2)']),
  ...(existsSync(fakeTime) ? [] : ['libfaketime (Debian: faketime)']),
].join(', ');
if (missing !== '') {
  const said = `regions need what is missing here: ${missing}`;
  if (process.env['CI'] === 'true') throw new Error(said);
  console.warn(said);
}

function clock(at: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(0, at - Date.now())));
}

it.skipIf(missing !== '')(
  'regions that are unwell raise no outage, are named, and change no slot',
  async () => {
    await using world = await startRegions();
    const { network, probes, nodes } = world;
    const from = Math.ceil(Date.now() / 60_000) * 60_000;
    const at = (second: number) => clock(from + second * 1_000);

    /** Times at which a node is really down, and a while after in which the word may lag behind. */
    const outages: { readonly service: string; readonly from: number; until: number }[] = [];
    const outage = async (service: string, forS: number) => {
      const window = { service, from: Date.now(), until: Infinity };
      outages.push(window);
      nodes[service]?.signal('SIGSTOP');
      await until(`${service} is out on the page`, 30_000, async () =>
        (await componentsOf(world)).get(service)?.includes('outage'),
      );
      await clock(window.from + forS * 1_000);
      nodes[service]?.signal('SIGCONT');
      await until(`${service} is back on the page`, 60_000, async () =>
        (await componentsOf(world)).get(service)?.startsWith('operational'),
      );
      window.until = Date.now();
    };

    const wrong: string[] = [];
    const told: string[] = [];
    let watching = true;
    const watch = (async () => {
      while (watching) {
        const words = await componentsOf(world);
        for (const [service, word] of words) {
          const isScripted = outages.some((o) => o.service === service && Date.now() <= o.until);
          // Fewer than a quorum may see trouble: that is a word of its own, and no outage.
          if (!isScripted && word !== 'operational') wrong.push(`${service}: ${word}`);
        }
        await clock(Date.now() + 500);
      }
    })();
    const named = async (region: Region, from: number) => {
      const sentence = await until(`the page says that ${region} is unwell`, toldMs, async () =>
        (await unwellRegions(world)).get(region),
      );
      told.push(`${region} after ${Math.round((Date.now() - from) / 1_000)} s: ${sentence}`);
    };
    const wellAgain = (region: Region) =>
      until(`${region} is well again`, toldMs, async () => !(await unwellRegions(world)).has(region));

    await at(0);
    probes['sg']?.signal('SIGSTOP');
    await at(10);
    network.cut('eu', 'nodes');
    const first = Date.now();
    await Promise.all([named('sg', from), named('eu', first), outage('alpha', 45)]);
    await at(10 + troubleS);
    network.heal('eu', 'nodes');
    await at(suspendedS);
    probes['sg']?.signal('SIGCONT');
    await Promise.all([wellAgain('eu'), wellAgain('sg')]);

    const second = Date.now();
    world.setClock('us', 3_600);
    network.cut('jp', 'here');
    await Promise.all([named('us', second), named('jp', second), outage('beta', 45)]);
    await clock(second + troubleS * 1_000);
    world.setClock('us', 0);
    network.heal('jp', 'here');
    await Promise.all([wellAgain('us'), wellAgain('jp')]);
    watching = false;
    await watch;

    const end = Math.ceil(Date.now() / 60_000) * 60_000;
    await clock(end);
    const minutes = { first: from / 60_000, last: end / 60_000 - 1 };
    await until('every region has delivered the last minute', 240_000, async () => {
      const status = await getJson<{ probes: { id: string; closedMinute?: number }[] }>(
        `${world.collector.url}/v1/status`,
        world.token,
      );
      return status.probes.every(({ closedMinute }) => (closedMinute ?? 0) > minutes.last);
    });

    console.log(told.join('\n'));
    expect(wrong).toEqual([]);
    // What was due in another hour by a clock that was off is nobody's minute.
    const records = regions
      .flatMap((region) => readRecords(world.recordOf(region)))
      .filter(({ dueAt }) => dueAt >= from && dueAt < end);
    const plain = plainTally(records, regions.length, intervalMs);
    const differences: unknown[] = [];
    const counts = { up: 0, down: 0, unknown: 0 };
    for (const service of services) {
      const monitor = `${service}/main/head`;
      for (let minute = minutes.first; minute <= minutes.last; minute += 1) {
        const expected = plain.get(`${monitor} ${minute}`) ?? 'unknown';
        const why = await getJson<{ slot?: { state: string; because: string } }>(
          `${world.collector.url}/v1/why?monitor=${encodeURIComponent(monitor)}&at=${minute * 60_000}`,
          world.token,
        );
        counts[expected] += 1;
        if (why.slot?.state !== expected) differences.push({ monitor, minute, expected, got: why.slot });
      }
    }
    console.log(`${records.length} records; slots by the plain tally: ${JSON.stringify(counts)}`);
    expect(
      differences.filter((one) => (one as { got?: { state: string } }).got?.state !== 'unknown'),
    ).toEqual([]);
    console.log(`${differences.length} slots honestly unknown: ${JSON.stringify(differences)}`);
    expect(counts.down).toBeGreaterThan(0);
    expect(counts.up).toBeGreaterThan(0);
  },
);
