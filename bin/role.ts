/** What every role's process does: a logger, an end that drains, and a word to the supervisor when it works. */
import type { Running } from '@highwater/config/running.ts';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { Exit, exitCode } from './exit.ts';

/** Draining has 10 s; a role that is still there after this has a bug, and is ended. */
const lastResortMs = 11_000;

/** JSON lines on standard error. HIGHWATER_LOG_LEVEL: trace, debug, info (usual), warn, error. */
export function roleLogger(role: string): Logger {
  const level = process.env['HIGHWATER_LOG_LEVEL'] ?? 'info';
  if (!/^(trace|debug|info|warn|error|fatal|silent)$/.test(level)) {
    throw new Exit(
      exitCode.usage,
      'highwater: HIGHWATER_LOG_LEVEL: not a level, write trace, debug, info, warn, error or silent',
    );
  }
  // Synchronous: the last lines before a crash are the ones that matter.
  return pino({ level, base: { role } }, pino.destination({ dest: 2, sync: true }));
}

/**
 * Runs a role until SIGTERM, SIGINT or SIGHUP, or until the supervisor that started it is gone.
 * Tells its address over the IPC channel where there is one, else prints it. Throws Exit when it cannot start.
 */
export async function runRole(
  role: string,
  start: (log: Logger, signal: AbortSignal) => Promise<Running>,
): Promise<void> {
  const log = roleLogger(role);
  const stop = new AbortController();
  const end = (why: string) => {
    if (stop.signal.aborted) return;
    log.info({ event: 'role.ending', why }, 'ending');
    stop.abort();
    setTimeout(() => process.exit(exitCode.no), lastResortMs).unref();
  };
  // Signals arrive twice under npm: a flag, not `once`.
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => end(name));
  process.on('disconnect', () => end('supervisor gone'));
  try {
    const running = await start(log, stop.signal);
    // A supervisor shows the address in its own way.
    if (process.send) process.send({ ready: running.url });
    else process.stdout.write(`${role} ${running.url}\n`);
    await running.stopped;
  } catch (cause) {
    if (cause instanceof Exit) throw cause;
    log.debug({ event: 'role.failed', err: cause }, 'failed');
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Exit(exitCode.no, `highwater ${role}: ${message}`, { cause });
  } finally {
    // An open channel would keep the process alive.
    if (process.connected) process.disconnect();
  }
}
