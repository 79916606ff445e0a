/** What every role's process does: a logger, an end that drains, and a word to the supervisor when it works. */
import { isatty } from 'node:tty';
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

/** A role that runs, and what it does when it is told by SIGHUP that its configuration has changed. */
export interface Role extends Running {
  readonly reload?: () => Promise<unknown>;
}

/**
 * Runs a role until SIGTERM or SIGINT, until the terminal that it was started from is gone (SIGHUP), or until the
 * supervisor that started it is. Without a terminal SIGHUP is the word to read the configuration again.
 * Tells its address over the IPC channel where there is one, else prints it. Throws Exit when it cannot start.
 */
export async function runRole(
  role: string,
  start: (log: Logger, signal: AbortSignal) => Promise<Role>,
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
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => end(name));
  const hangUps = reloads(log);
  const hasTerminal = isatty(0);
  process.on('SIGHUP', () => (hasTerminal ? end('SIGHUP') : hangUps.come()));
  process.on('disconnect', () => end('supervisor gone'));
  try {
    const running = await start(log, stop.signal);
    // A supervisor shows the address in its own way.
    if (process.send) process.send({ ready: running.url });
    else process.stdout.write(`${role} ${running.url}\n`);
    hangUps.answer(running.reload);
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

/** One reload at a time; what comes meanwhile, or before the role works, makes one more. What goes wrong is logged. */
function reloads(log: Logger) {
  let reload: (() => Promise<unknown>) | undefined;
  let [works, asked, busy] = [false, false, false];
  const run = async (): Promise<void> => {
    if (!works || busy) return;
    busy = true;
    while (asked) {
      asked = false;
      if (reload === undefined) {
        log.info({ event: 'role.hang-up' }, 'SIGHUP: this role has nothing to read again');
        continue;
      }
      try {
        await reload();
      } catch (error) {
        const because = error instanceof Error ? error.message : String(error);
        log.error({ event: 'role.reload-failed', because }, 'the configuration that runs stays');
        log.debug({ err: error }, 'reload-failed');
      }
    }
    busy = false;
  };
  return {
    come(): void {
      asked = true;
      void run();
    },
    answer(how: (() => Promise<unknown>) | undefined): void {
      [reload, works] = [how, true];
      void run();
    },
  };
}
