/** A probe as a process of its own, for tests that kill it: DATA COLLECTOR TRUST RECORD. */
import { pino } from 'pino';
import { startProbe } from '../src/main.ts';

const [dataDir = '', collectorUrl = '', trust = '', recordFile = ''] = process.argv.slice(2);
const ending = new AbortController();
process.on('SIGTERM', () => ending.abort());
const running = await startProbe(
  {
    id: 'eu-1',
    dataDir,
    collectorUrl,
    trust,
    recordFile,
    allowPrivate: ['config'],
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'error' }, pino.destination(2)),
  },
  ending.signal,
);
process.stdout.write(`${running.url}\n`);
await running.stopped;
