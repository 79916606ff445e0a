/**
 * A process that makes all views again and puts right what differs, to be killed.
 *
 *   rebuild-writer.ts DATA CONFIG_JSON NOW_MS
 *
 * Says `ready` when it begins to work.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '@highwater/config/model.ts';
import { rebuildViews } from '../../collector/src/rebuild/rebuild.ts';

const [, , dataDir = '', file = '', nowText = ''] = process.argv;
const config = JSON.parse(readFileSync(file, 'utf8')) as Config;
process.stdout.write('ready\n');
await rebuildViews({ dataDir, config, now: Number(nowText), isCheck: false, progress: () => undefined });
