/** From a batch to its proof, over real HTTP: a real collector, and a probe's own spool, shipper and prover. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { minuteOf } from '@highwater/config/time.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testHouse, type TestHouse } from '../../collector/src/testing/config.ts';
import {
  dropDataDir,
  eventually,
  type House,
  newDataDir,
  openHouse,
} from '../../collector/src/testing/house.ts';
import { type Assigned, followAssignments, openTrust } from '../../probe/src/assign.ts';
import { openLink } from '../../probe/src/collector-link.ts';
import { checkpointMemory } from '../../probe/src/prove-memory.ts';
import { startProver } from '../../probe/src/prove.ts';
import { startShipper } from '../../probe/src/ship.ts';
import { spoolBatches, spoolFrame } from '../../probe/src/sign.ts';
import type { Asker } from '../../probe/src/signed-request.ts';
import { Spool } from '../../probe/src/spool.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

let dataDir: string;
let probeDir: string;
let test: TestHouse;
let house: House;
let now: () => number;
/** With that one probe alone: for others the log would hold back for seconds after each start. */
const open = () =>
  openHouse({ ...test.config, probes: test.config.probes.slice(0, 1) }, dataDir, {
    now: () => now(),
    monotonic: () => performance.now(),
  });

beforeEach(async () => {
  now = () => Date.now();
  dataDir = newDataDir();
  probeDir = mkdtempSync(join(tmpdir(), 'highwater-proving-'));
  test = testHouse();
  house = await open();
});
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
  rmSync(probeDir, { recursive: true, force: true });
});

/** The probe of eu without its checks. `isAsking`: whether it asks for proofs. */
function probe(isAsking = true) {
  const key = test.keys.eu;
  const errors: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) });
  const ending = new AbortController();
  const spool = new Spool({ dir: probeDir, maxBytes: 1_000_000, now: now() });
  const memory = checkpointMemory(probeDir);
  const link = openLink(house.url, false);
  const asker: Asker = { key, now: () => now(), checkpoint: () => memory.seen?.note };
  let assigned: Assigned | undefined;
  const following = followAssignments(
    {
      dir: probeDir,
      asker,
      trust: openTrust(probeDir, undefined, log),
      link,
      log,
      after: 0,
      changed: (next) => (assigned = next),
      look: () => undefined,
    },
    ending.signal,
  );
  const prover = startProver({
    spool,
    link,
    memory,
    asker,
    log,
    logs: () =>
      isAsking && assigned ? { origin: assigned.origin, logKeys: assigned.body.logKeys ?? [] } : undefined,
    monotonic: () => performance.now(),
    takenBack: () => shipper.batchReady(),
    firstMs: 50,
  });
  const shipper = startShipper({
    spool,
    link,
    log,
    acknowledged: () => undefined,
    batchAcknowledged: () => prover.poke(),
  });
  return {
    spool,
    memory,
    prover,
    errors,
    /** A minute with one line. */
    async see(detail: string) {
      const { origin, body } = await eventually(async () => assigned);
      spool.add(`rpc/a/head ${now()} ok 12 -`, detail);
      spoolFrame(spool, { key, origin });
      const known = { clock: { boundMs: 5, ageS: 0 }, tip: memory.seen ?? { size: 0, root: body.config } };
      const closing = { through: spool.next.seq - 1, minute: minuteOf(now()), config: body.config };
      spoolBatches(spool, { key, origin }, closing, known);
      await spool.sync();
      shipper.frameReady();
      shipper.batchReady();
    },
    shipped: () => eventually(async () => spool.batchCount === 0 && spool.frameCount === 0),
    proven: () => eventually(async () => spool.batchCount + spool.unprovenCount === 0, 20_000),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await Promise.all([shipper.stop(), prover.stop(), following]);
      await link.close();
      spool[Symbol.dispose]();
    },
  };
}

const onDisk = () =>
  readdirSync(join(probeDir, 'journal'))
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(probeDir, 'journal', name), 'utf8'))
    .join('');
const logOf = async () => (await house.json<{ log: { refused?: object } }>('/v1/status')).log;

describe('a batch', () => {
  it('is kept until it is proven, and deleted then', async () => {
    await using eu = probe();
    await eu.see('the first one');
    await eu.shipped();
    expect(onDisk()).toContain('the first one');
    await eu.proven();
    expect(eu.memory.seen?.size).toBeGreaterThan(0);
    // So much that a segment is full: nothing holds the ones before.
    for (let n = 0; onDisk().includes('the first one'); n += 1) {
      expect(n).toBeLessThan(100);
      await eu.see('x'.repeat(20_000));
      await eu.shipped();
    }
    await eu.proven();
    expect(eu.errors).toEqual([]);
  });

  it('that was acknowledged in an epoch that is over is still proven', async () => {
    await using eu = probe();
    await eu.see('old');
    await eu.shipped();
    eu.spool.startNewEpoch({ name: 'x', note: 'x' });
    await eu.see('new');
    await eu.proven();
    expect(eu.errors).toEqual([]);
  });

  it('is proven again where the probe was killed between keeping the checkpoint and deleting', async () => {
    {
      await using eu = probe();
      eu.spool.proven = () => {
        throw new Error('killed');
      };
      await eu.see('killed');
      await eventually(async () => eu.memory.seen, 20_000);
    }
    const kept = checkpointMemory(probeDir).seen;
    await using eu = probe();
    expect([eu.memory.seen, eu.spool.unprovenCount]).toEqual([kept, 1]);
    await eu.proven();
    expect(eu.errors).toEqual([]);
  });

  it('of each side of New Year is proven, and the new log is seen to continue the old one', async () => {
    await house.stop();
    dropDataDir(dataDir);
    let ahead = Date.UTC(2026, 11, 31, 23, 59, 30) - Date.now();
    now = () => Date.now() + ahead;
    house = await open();
    await using eu = probe();
    await eu.see('old year');
    await eu.proven();
    expect(eu.memory.seen?.year).toBe(2026);
    ahead += 60_000;
    await eu.see('new year');
    await eu.proven();
    await eventually(async () => eu.memory.seen?.year === 2027);
    expect(eu.errors).toEqual([]);
  });
});

describe('a collector that was restored from an older copy', () => {
  it('is told of loudly; nothing is deleted, what it lost is sent again, and what is new too', async () => {
    const backup = `${dataDir}-copy`;
    {
      await using eu = probe();
      await eu.see('before');
      await eu.proven();
      await house.stop();
      cpSync(dataDir, backup, { recursive: true });
      house = await open();
    }
    {
      await using eu = probe();
      await eu.see('proven after the copy');
      await eu.proven();
    }
    {
      await using eu = probe(false);
      await eu.see('acknowledged after the copy');
      await eu.shipped();
      expect(eu.spool.unprovenCount).toBe(1);
    }
    const seen = checkpointMemory(probeDir).seen;
    await house.stop();
    dropDataDir(dataDir);
    cpSync(backup, dataDir, { recursive: true });
    rmSync(backup, { recursive: true });
    house = await open();

    await using eu = probe();
    await eu.see('after the restore');
    await eventually(async () => eu.prover.refused, 20_000);
    // Lost, sent again with its body, and acknowledged again.
    await eventually(async () => eu.spool.batchCount === 0 && eu.spool.unprovenCount === 2, 20_000);
    expect(eu.prover.refused?.because).toMatch(/has \d+ entries; this probe has seen \d+/);
    expect(eu.errors.filter((line) => line.includes('log.refused'))).toHaveLength(1);
    expect(eu.memory.seen).toEqual(seen);
    expect(onDisk()).toContain('acknowledged after the copy');
    expect((await logOf()).refused).toMatchObject({ because: expect.stringContaining('eu-1') as string });
  });
});
