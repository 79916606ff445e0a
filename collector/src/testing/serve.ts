/** A collector as a process of its own, for tests that kill it: reads the config as JSON from the file in argv. */
import { readFileSync } from 'node:fs';
import type { Config } from '@highwater/config/model.ts';
import { pino } from 'pino';
import { startCollector } from '../main.ts';

const [, , file = '', dataDir = ''] = process.argv;
const config = JSON.parse(readFileSync(file, 'utf8')) as Config;
const ending = new AbortController();
process.on('SIGTERM', () => ending.abort());
const log = pino({ level: 'silent' });
const running = await startCollector({ config, dataDir, host: '127.0.0.1', port: 0, log }, ending.signal);
process.stdout.write(`${running.url}\n`);
await running.stopped;
