/**
 * The whole path of a real observation: a prepared check is observed, its line journaled, and a frame signed and synced
 * once a second, a batch each minute, both acknowledged at once as a collector does that is there.
 */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { formatLine } from '@highwater/config/proof/line.ts';
import type { AssignedMonitor } from '@highwater/config/wire.ts';
import { pino } from 'pino';
import { checks } from '../../../probe/src/checks/index.ts';
import { keepEvidence } from '../../../probe/src/evidence.ts';
import { parseConsent } from '../../../probe/src/io/reach.ts';
import { makeResolve } from '../../../probe/src/io/resolve.ts';
import { makeMetrics } from '../../../probe/src/metrics.ts';
import { observe, prepare, type House } from '../../../probe/src/observe.ts';
import { secretShelf } from '../../../probe/src/secrets.ts';
import { noTip } from '../../../probe/src/sign.ts';
import { Spool } from '../../../probe/src/spool.ts';
import { type Asked, inTurn, type Work } from './asked.ts';

const monitorCount = 1_000;
const monotonic = () => performance.now();
const now = () => Date.now();

function monitorsOf({ kind, settings, urls }: Asked): AssignedMonitor[] {
  const url = inTurn(urls);
  return Array.from({ length: monitorCount }, (_, nth) => ({
    id: `service-${nth % 40}/node-${nth}/${kind}`,
    kind,
    settings,
    target: { url: url(), headers: {}, allowPrivate: true },
    intervalMs: 10_000,
    timeoutMs: 5_000,
    recheckAfterMs: 1_000,
    fall: 2,
  }));
}

export function open(asked: Asked): Work {
  const dir = mkdtempSync(join(tmpdir(), 'highwater-bench-'));
  const spool = new Spool({ dir, maxBytes: 268_435_456, now: now() });
  const acknowledge = () => {
    for (const frame of spool.frames) spool.acknowledgeFrame(frame);
    const { batches } = spool;
    for (const batch of batches) spool.acknowledgeBatch(batch);
    spool.proven(batches);
  };
  const clock = () => ({ boundMs: 20, ageS: 1 });
  const log = pino({ level: 'silent' });
  const evidence = keepEvidence({ spool, log, now, monotonic, clock, tip: () => noTip, ready: acknowledge });
  const identity = { key: generateSigningKey('bench'), origin: 'bench.example.com/log' };
  evidence.assigned(identity, Buffer.alloc(32, 1).toString('base64'));
  const house: House = {
    outside: {
      resolve: makeResolve(),
      consent: parseConsent(['127.0.0.0/8']),
      userAgent: 'highwater-bench',
      monotonic,
      ...(asked.ca === undefined ? {} : { secureContext: createSecureContext({ ca: asked.ca }) }),
    },
    secrets: secretShelf('.'),
    now,
    clockBoundMs: () => 20,
    broke: (_, thrown) => {
      throw thrown;
    },
  };
  const metrics = makeMetrics();
  metrics.assigned('bench');
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const prepared = monitorsOf(asked).map((monitor) => prepare(monitor, [], checks));
  let next = 0;
  return {
    async call() {
      const due = prepared[next++ % monitorCount];
      if (!due) throw new Error('no monitor');
      const { observation } = await observe(due, { dueAt: now(), recheck: false }, house, ending.signal);
      evidence.add(formatLine(observation), observation.fault?.detail);
      metrics.observed(observation);
      if (observation.outcome !== 'ok') throw new Error(formatLine(observation));
    },
    async settled() {
      do await wait(50);
      while (spool.unframed.length > 0);
    },
    async close() {
      await evidence.drain();
      spool[Symbol.dispose]();
      rmSync(dir, { recursive: true });
    },
  };
}
