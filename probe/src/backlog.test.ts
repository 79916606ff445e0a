import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { DAY_MS, minuteOf } from '@highwater/config/time.ts';
import type { CollectorLink } from './collector-link.ts';
import { startShipper } from './ship.ts';
import { noTip, spoolBatches, spoolFrame } from './sign.ts';
import { Spool } from './spool.ts';

const identity = { key: generateSigningKey('eu-1'), origin: 'status.example.com/log' };
const start = 20_000 * DAY_MS;
const frameCount = 20_000;

// With a search through all that waits for each acknowledgement this took a quarter of an hour.
it('the backlog of five and a half hours goes out in seconds, and nothing else waits for it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'highwater-backlog-'));
  const spool = new Spool({ dir, maxBytes: 268_435_456, now: start });
  for (let n = 0; n < frameCount; n += 1) {
    spool.add(`rpc/n0/http ${start + n * 1_000} ok 12 -`);
    spoolFrame(spool, identity);
    if (n % 60 !== 59) continue;
    const minute = minuteOf(start + n * 1_000);
    const closing = { through: spool.next.seq - 1, minute, config: ZERO_HASH };
    spoolBatches(spool, identity, closing, { clock: { boundMs: 5, ageS: 0 }, tip: noTip });
  }
  await spool.sync();
  const batches = spool.batchCount;
  expect([spool.frameCount, batches]).toEqual([frameCount, Math.floor(frameCount / 60)]);

  const sent = { '/v1/frames': 0, '/v1/batches': 0 };
  const link: Pick<CollectorLink, 'post'> = {
    async post(path) {
      sent[path as keyof typeof sent] += 1;
      await new Promise((done) => setImmediate(done));
      return { status: 200, headers: {}, text: '', roundTripMs: 1 };
    },
  };
  let longest = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  const shipper = startShipper({
    spool,
    link: link as CollectorLink,
    log: pino({ level: 'silent' }),
    acknowledged: () => undefined,
  });
  const until = performance.now() + 20_000;
  while (spool.frameCount + spool.batchCount > 0 && performance.now() < until) {
    await new Promise((done) => setTimeout(done, 20));
  }
  clearInterval(watch);
  await shipper.stop();
  expect([spool.frameCount, spool.batchCount]).toEqual([0, 0]);
  // Each once: no lane works for nothing.
  expect(sent).toEqual({ '/v1/frames': frameCount, '/v1/batches': batches });
  expect(longest).toBeLessThan(1_000);
  spool[Symbol.dispose]();
  rmSync(dir, { recursive: true });
}, 60_000);
