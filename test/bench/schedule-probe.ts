/**
 * The probe of the bench `schedule` as a process of its own: DATA COLLECTOR TRUST RECORD. Its first line on standard
 * output is its address; for each line that it reads it writes how it is: what its event loop was late by since the one before, and its heap.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { startProbe } from '../../probe/src/main.ts';

export interface Inside {
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
}

const resolutionMs = 10;
const [dataDir = '', collectorUrl = '', trust = '', recordFile = ''] = process.argv.slice(2);
const ending = new AbortController();
process.on('SIGTERM', () => ending.abort());
const loop = monitorEventLoopDelay({ resolution: resolutionMs });
loop.enable();
const running = await startProbe(
  {
    id: 'bench',
    dataDir,
    collectorUrl,
    trust,
    recordFile,
    allowPrivate: ['127.0.0.0/8'],
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'warn' }, pino.destination(2)),
  },
  ending.signal,
);
process.stdout.write(`${running.url}\n`);
const lines = createInterface({ input: process.stdin });
lines.on('line', () => {
  // It measures from timer to timer, so the timer's own period is part of each value.
  const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs);
  const { heapUsed, external } = process.memoryUsage();
  const told: Inside = {
    p99Ms: ms(loop.percentile(99)),
    maxMs: ms(loop.max),
    heapBytes: heapUsed,
    externalBytes: external,
  };
  process.stdout.write(`${JSON.stringify(told)}\n`);
  loop.reset();
});
// The bench is gone.
lines.on('close', () => ending.abort());
await running.stopped;
