/** What a probe has in its spool that saw for an hour and reached nobody: made with the spool's own code. */
import { mkdirSync, appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSigningKey, sha256 } from '@highwater/config/keys.ts';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { noTip, spoolBatches, spoolFrame } from '../../probe/src/sign.ts';
import { Spool } from '../../probe/src/spool.ts';

const MINUTE_MS = 60_000;

export interface SpooledHour {
  /** Of a probe that does not run. */
  readonly dataDir: string;
  readonly id: string;
  readonly origin: string;
  /** Seed of the due times; leaf hash of the configuration. */
  readonly seed: string;
  readonly config: string;
  readonly monitors: readonly string[];
  readonly intervalMs: number;
  readonly firstMinute: number;
  readonly minutes: number;
  /** Beside the system, as the probe's `--record` writes it. */
  readonly recordFile: string;
  /** Whether the answer to a question failed. */
  readonly fails: (monitor: string, dueAt: number) => boolean;
}

export async function spoolHour(hour: SpooledHour): Promise<number> {
  const { id, dataDir, monitors, intervalMs, firstMinute, minutes } = hour;
  const identity = { key: loadSigningKey(join(dataDir, 'keys', `${id}.key`)), origin: hour.origin };
  const dir = join(dataDir, 'probe', id);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  using spool = new Spool({ dir, maxBytes: 268_435_456, now: Date.now(), key: identity.key.vkey });
  let count = 0;
  for (let minute = firstMinute; minute < firstMinute + minutes; minute += 1) {
    for (const monitor of monitors) {
      const phase = phaseMs(hour.seed, monitor, id, intervalMs, sha256);
      const end = (minute + 1) * MINUTE_MS;
      for (let at = nextDueAt(minute * MINUTE_MS - 1, phase, intervalMs); at < end;) {
        const failed = hour.fails(monitor, at);
        spool.add(`${monitor} ${at} ${failed ? 'fail 30 target.connect.refused' : 'ok 30 -'}`);
        const record = {
          monitor,
          probe: id,
          dueAt: at,
          outcome: failed ? 'fail' : 'ok',
          fault: failed ? 'target.connect.refused' : null,
          lateMs: 0,
          recheck: false,
        };
        appendFileSync(hour.recordFile, `${JSON.stringify(record)}\n`);
        count += 1;
        at = nextDueAt(at, phase, intervalMs);
      }
    }
    while (spoolFrame(spool, identity));
    const known = { clock: { boundMs: 3, ageS: 0 }, tip: noTip };
    spoolBatches(spool, identity, { through: Infinity, minute, config: hour.config }, known);
  }
  await spool.sync();
  return count;
}
