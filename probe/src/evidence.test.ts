import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepEvidence } from './evidence.ts';
import { Spool } from './spool.ts';

const minute = 60_000;
const noon = 1_795_000_020_000 - (1_795_000_020_000 % minute);
const identity = { key: generateSigningKey('eu-1'), origin: 'status.example.com/log' };
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evidence-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Opens the spool at an instant, lets `act` use it, and gives how many batches are spooled in the end. */
async function batchesAfter(at: number, act: (spool: Spool) => void): Promise<number> {
  using spool = new Spool({ dir, maxBytes: 1_048_576, now: noon });
  act(spool);
  const evidence = keepEvidence({
    spool,
    log: pino({ level: 'silent' }),
    now: () => at,
    monotonic: () => performance.now(),
    clock: () => ({ boundMs: 1, ageS: 0 }),
    ready: () => undefined,
  });
  evidence.assigned(identity, Buffer.alloc(32, 1).toString('base64'));
  await evidence.drain();
  return spool.batches.length;
}

const seen = (dueAt: number) => (spool: Spool) => spool.add(`rpc/main/http ${dueAt} ok 12 -`, undefined);

it('a minute that closed while the probe was gone is batched at the start, not a minute later', async () => {
  expect(await batchesAfter(noon + 50_000, seen(noon + 49_000))).toBe(0);
  expect(await batchesAfter(noon + minute + 2_000, () => undefined)).toBe(1);
});

it('a minute that goes on after a restart is not closed early', async () => {
  expect(await batchesAfter(noon + 20_000, seen(noon + 19_000))).toBe(0);
  expect(await batchesAfter(noon + 40_000, () => undefined)).toBe(0);
});
