/** Reports as long as the process lives: what is due is read from the store; node-cron and bells poke. */
import type { Logger } from 'pino';
import type { Bell } from '../bell.ts';
import { poked } from '../generation.ts';
import { loops } from '../loops.ts';
import type { Reports } from './reports.ts';

/** Looked for by itself, ms: clocks are set, machines sleep. */
const AT_LEAST_EVERY_MS = 60_000;

/** Resolves when the signal has aborted and nothing runs any more. Never rejects. */
export async function runReports(
  reports: Reports,
  wanted: Bell,
  published: Bell,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const turn = async (): Promise<void> => {
    const seen = wanted.rung();
    const seenPublished = published.rung();
    await reports.turn();
    if (signal.aborted) return;
    // One that is logged waits for a checkpoint that covers it.
    const isWaiting = (await reports.rows()).some(
      ({ state }) => state.phase === 'logged' && state.failed === undefined,
    );
    if (isWaiting) await published.next(seenPublished, 1_000, signal);
    else await wanted.next(seen, AT_LEAST_EVERY_MS, signal);
  };
  await Promise.all([
    loops({ reports: turn }, log, signal),
    poked('* * * * *', async () => wanted.ring(), log, signal),
  ]);
}
