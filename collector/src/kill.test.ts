/**
 * SIGKILL at any moment between a write and its acknowledgement: what was acknowledged is there afterwards, under the
 * same index, and what is sent again is not counted twice. Half of the kills come at random, half when a call is in
 * the air. CONTRACTS "Evidence", ARCHITECTURE "What must always hold", 1.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { minuteOf } from '@highwater/config/time.ts';
import { accepted } from '@highwater/config/wire.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import { testHouse } from './testing/config.ts';
import { dropDataDir, newDataDir } from './testing/house.ts';
import { player } from './testing/player.ts';
import { LOG_SHARD } from './watched.ts';

vi.setConfig({ testTimeout: 120_000 });
const KILLS = Number(process.env['KILLS'] ?? 6);

let dataDir: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  dataDir = newDataDir();
});
afterEach(() => {
  child?.kill('SIGKILL');
  dropDataDir(dataDir);
});

async function serve(file: string): Promise<string> {
  const script = new URL('./testing/serve.ts', import.meta.url).pathname;
  const started = spawn(process.execPath, [script, file, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  const [line] = (await once(started.stdout, 'data')) as [Buffer];
  return line.toString().trim();
}

async function kill(): Promise<void> {
  if (child === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

interface Acknowledged {
  readonly note: string;
  readonly index?: number;
}

describe('a collector that is killed', () => {
  it(`${KILLS} times loses nothing that it acknowledged and counts nothing twice`, async () => {
    const { config, keys } = testHouse();
    const file = join(dataDir, 'config.json');
    writeFileSync(file, JSON.stringify(config));
    const probe = player(config.origin, keys.eu);
    const acknowledged: Acknowledged[] = [];
    const outbox: { path: string; note: string }[] = [];
    const lineAt = (n: number): string[] => config.monitors.map(({ id }) => `${id} ${1_000_000 + n} ok 1 -`);
    const configHash = Buffer.alloc(32).toString('base64');
    let made = 0;
    const more = (): void => {
      outbox.push({ path: '/v1/frames', note: probe.frame(lineAt(made)) });
      if (made % 3 === 2) {
        const { note } = probe.batch({ config: configHash, minute: minuteOf(Date.now()) });
        outbox.push({ path: '/v1/batches', note });
      }
      made += 1;
    };

    for (let round = 0; round <= KILLS; round += 1) {
      const url = await serve(file);
      const enough = round === KILLS ? outbox.length : 25;
      for (let sent = 0; sent < enough; sent += 1) {
        if (outbox.length === 0) more();
        const [next] = outbox;
        if (next === undefined) break;
        const call = fetch(`${url}${next.path}`, {
          method: 'POST',
          body: next.note,
          headers: { 'content-type': 'text/plain' },
        }).catch(() => undefined);
        // The moment moves over the call, from before it is read to after it is answered.
        const isLast = round < KILLS && sent === enough - 1;
        if (isLast) {
          await new Promise((resolve) => setTimeout(resolve, round % 2 === 0 ? Math.random() * 8 : round));
          await kill();
        }
        const response = await call;
        if (response?.status !== 200) {
          await response?.body?.cancel();
          if (response !== undefined) throw new Error(`${next.path}: ${response.status}`);
          break;
        }
        const body = await response.json().catch(() => undefined);
        if (body === undefined) break;
        const { index } = accepted.parse(body);
        acknowledged.push({ note: next.note, ...(index === undefined ? {} : { index }) });
        outbox.shift();
      }
    }
    await kill();

    await using store = openSqliteStore(join(dataDir, 'collector'));
    const { frames, commits } = await store.read(LOG_SHARD, async (tx) => ({
      frames: await tx.framesAfter(0, 100_000),
      commits: await tx.commitsFrom(0, 100_000),
    }));
    const kept = [...frames.map(({ note }) => note), ...commits.map(({ note }) => note)];
    expect(kept).toEqual(expect.arrayContaining(acknowledged.map(({ note }) => note)));
    expect(new Set(kept).size).toBe(kept.length);
    for (const { note, index } of acknowledged) {
      if (index !== undefined) expect(commits[index]?.note).toBe(note);
    }
    expect(commits.map(({ index }) => index)).toEqual(commits.map((_, i) => i));
    expect(acknowledged.length).toBeGreaterThan(KILLS * 20);
  });
});
