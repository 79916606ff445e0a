import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { DAY_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { type TestCollector, testCollector } from '../testing/collector.ts';
import { type CollectorLink, openLink } from './collector-link.ts';
import { type Evidence, keepEvidence } from './evidence.ts';
import { type Shipper, startShipper } from './ship.ts';
import { noTip } from './sign.ts';
import { Spool } from './spool.ts';

const key = generateSigningKey('eu-1');
const identity = { key, origin: 'status.example.com/log' };
const log = pino({ level: 'silent' });

describe('what was spooled', () => {
  let dir: string;
  let collector: TestCollector;
  let spool: Spool;
  let link: CollectorLink;
  let shipper: Shipper;
  let evidence: Evidence;
  let wall: number;
  let acknowledged: number[];
  let boundMs: number;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'highwater-ship-'));
    collector = await testCollector(() => [key.vkey]);
    spool = new Spool({ dir, maxBytes: 10_000_000, now: Date.now() });
    link = openLink(collector.url, false);
    acknowledged = [];
    boundMs = 3;
    // A clock of its own, so that a minute ends when the test says so.
    wall = 20_000 * DAY_MS + 30_000;
    shipper = startShipper({
      spool,
      link,
      log,
      acknowledged: ({ at }) => acknowledged.push(at),
      now: () => wall,
    });
    evidence = keepEvidence({
      spool,
      log,
      now: () => wall,
      monotonic: () => performance.now(),
      clock: () => ({ boundMs, ageS: 0 }),
      tip: () => noTip,
      ready() {
        shipper.frameReady();
        shipper.batchReady();
      },
    });
    evidence.assigned(identity, ZERO_HASH);
  });
  afterEach(async () => {
    await evidence.drain();
    await shipper.stop();
    await link.close();
    await collector.close();
    spool[Symbol.dispose]();
  });

  const see = (n: number, detail?: string) => evidence.add(`rpc/n${n}/http ${wall} ok 12 -`, detail);
  const endMinute = async () => {
    const before = collector.batches.size;
    wall += MINUTE_MS;
    // Closes under the old configuration what it has.
    evidence.assigned(identity, wall % (2 * MINUTE_MS) === 30_000 ? ZERO_HASH : other);
    await collector.until(() => collector.batches.size > before);
  };
  const other = ZERO_HASH.replace('A', 'B');

  it('goes in frames, at most one a second, then in a batch', async () => {
    const began = performance.now();
    for (let n = 0; n < 40; n += 1) {
      see(n);
      await new Promise((done) => setTimeout(done, 50));
    }
    await endMinute();
    const seconds = (performance.now() - began) / 1_000;
    expect(collector.frames.size).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    expect(collector.lines()).toHaveLength(40);
    const [batch] = collector.batches.values();
    expect(batch?.batch).toMatchObject({
      number: 0,
      clock: { boundMs: 3, ageS: 0 },
      bodies: [{ service: 'rpc', lines: 40 }],
    });
    const order = collector.events.map((event) => event.split(' ')[0]);
    expect(order.indexOf('batch')).toBe(order.length - 1);
    expect(acknowledged.length).toBeGreaterThan(0);
  }, 60_000);

  it('has the details of faults beside the frame', async () => {
    const types: string[] = [];
    collector.answer = (_, __, type) => void types.push(type);
    see(0, 'ECONNREFUSED');
    await collector.until(() => collector.frames.size === 1);
    expect(types).toEqual(['application/json']);
  });

  it('is kept until the collector is there', async () => {
    collector.answer = () => ({ status: 503, body: { error: 'away' } });
    see(0);
    await collector.until(() => collector.events.length >= 2);
    expect(spool.frames).toHaveLength(1);
    collector.answer = () => undefined;
    await collector.until(() => spool.frames.length === 0);
    expect(collector.lines()).toHaveLength(1);
  });

  it('waits as long as Retry-After says', async () => {
    const at: number[] = [];
    collector.answer = () => {
      at.push(performance.now());
      return at.length === 1 ? { status: 429, headers: { 'retry-after': '2' } } : undefined;
    };
    see(0);
    await collector.until(() => spool.frames.length === 0 && at.length === 2);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(1_900);
  });

  it('sends the bodies that are asked for', async () => {
    collector.answer = (kind, _, type) =>
      kind === 'batch' && type.startsWith('text/plain')
        ? { status: 428, body: { error: 'x', services: ['rpc'] } }
        : undefined;
    see(1);
    see(0);
    await endMinute();
    const [batch] = collector.batches.values();
    expect(batch?.bodies).toEqual({
      rpc: `rpc/n0/http ${wall - MINUTE_MS} ok 12 -\nrpc/n1/http ${wall - MINUTE_MS} ok 12 -\n`,
    });
  });

  describe('of a clock that was wrong', () => {
    const hour = 60 * MINUTE_MS;
    /** Refuses as the collector does whose clock is right. */
    const refuseAhead = (right: () => number) => {
      collector.answer = (kind, note) => {
        const last = Number(/^minutes \d+ (\d+)$/m.exec(note)?.[1]);
        return kind === 'batch' && last * MINUTE_MS > right() + 2 * MINUTE_MS
          ? { status: 422, body: { error: 'ahead', at: right() } }
          : undefined;
      };
    };

    it('does not hold up what comes once it is right', async () => {
      const start = wall;
      refuseAhead(() => start);
      boundMs = 3_600_000;
      wall = start + hour;
      see(0);
      wall += MINUTE_MS;
      evidence.assigned(identity, other);
      await collector.until(() => collector.events.some((event) => event.endsWith(' 422')));
      // What it saw in the last minute before it was set right is closed after that, with a good bound.
      see(1);
      boundMs = 3;
      wall = start + MINUTE_MS;
      evidence.assigned(identity, ZERO_HASH);
      await evidence.drain();
      await vi.waitFor(() => expect(spool.batchCount).toBe(0), 15_000);
      see(2);
      evidence.assigned(identity, other);
      await collector.until(() => collector.batches.size > 0);
      await vi.waitFor(() => expect(spool.batchCount).toBe(0), 15_000);
      const [batch] = collector.batches.values();
      expect(collector.batches.size).toBe(1);
      expect(batch?.batch.gaps).toEqual([{ first: 0, last: 1 }]);
      expect(batch?.batch.bodies).toMatchObject([{ service: 'rpc', lines: 1 }]);
    }, 60_000);

    it('is waited for where it may be the collector that is behind', async () => {
      let right = wall - hour;
      refuseAhead(() => right);
      see(0);
      wall += MINUTE_MS;
      evidence.assigned(identity, other);
      await collector.until(
        () => collector.events.filter((event) => event.endsWith(' 422')).length >= 2,
        8_000,
      );
      expect(spool.batchCount).toBe(1);
      right = wall;
      await collector.until(() => collector.batches.size === 1);
      expect(collector.batches.values().next().value?.batch.gaps).toEqual([]);
    }, 60_000);
  });

  it('goes on in a new epoch when another text is held under its number', async () => {
    const { epoch } = spool;
    collector.answer = (kind, note) =>
      kind === 'batch' && note.includes(`epoch ${epoch}\n`)
        ? { status: 409, body: { error: 'another text' } }
        : undefined;
    see(0);
    wall += MINUTE_MS;
    evidence.assigned(identity, other);
    await collector.until(() => spool.epoch === epoch + 1);
    expect(readdirSync(join(dir, 'conflicts'))).toEqual([`batch-${epoch}-0.note`]);
    expect(spool.unbatched).toHaveLength(1);
    await endMinute();
    const [batch] = collector.batches.values();
    expect(batch?.batch).toMatchObject({ epoch: epoch + 1, number: 0, bodies: [{ lines: 1 }] });
  });

  it('does not delay what is new behind what was missed', async () => {
    collector.answer = () => ({ status: 503 });
    for (let n = 0; n < 60; n += 1) {
      see(n);
      await evidence.drain();
    }
    // Five seconds later they are no longer what happens now.
    await new Promise((done) => setTimeout(done, 5_100));
    expect(spool.frames.length).toBeGreaterThan(50);
    see(1_000);
    await evidence.drain();
    collector.answer = () => undefined;
    await collector.until(() => collector.lines().some((line) => line.startsWith('rpc/n1000/')));
    await collector.until(() => spool.frames.length === 0);
    expect(new Set(collector.lines()).size).toBe(61);
    const place = collector.lines().findIndex((line) => line.startsWith('rpc/n1000/'));
    expect(place).toBeLessThan(15);
  }, 60_000);
});
