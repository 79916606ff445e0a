/**
 * A collector as a process of its own whose clock begins at the time in argv, for tests that kill it: tells its address, and
 * then what it logs, as lines of JSON.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '@highwater/config/model.ts';
import { pino } from 'pino';
import { startCollector } from '../main.ts';

const [, , file = '', dataDir = '', at = ''] = process.argv;
const config = JSON.parse(readFileSync(file, 'utf8')) as Config;
const begin = Number(at) - performance.now();
const clock = { now: () => Math.floor(begin + performance.now()), monotonic: () => performance.now() };
const ending = new AbortController();
process.on('SIGTERM', () => ending.abort());
// To the file itself: what is logged is out before what follows it is done.
const log = pino({ level: 'info' }, pino.destination({ dest: 1, sync: true }));
const running = await startCollector(
  { config, dataDir, host: '127.0.0.1', port: 0, log, clock },
  ending.signal,
);
await running.stopped;
