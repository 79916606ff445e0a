/** A role that takes another configuration by starting anew inside of its process, at the same address. */
import { isDeepStrictEqual } from 'node:util';
import type { Running } from '@highwater/config/running.ts';
import type { Logger } from 'pino';
import type { Role } from './role.ts';

export interface Restarting<C> {
  /** What of the configuration matters here, as it is now. Throws for one with mistakes: what runs then goes on. */
  readonly read: () => C;
  /** `port` is the one that it had before. */
  readonly start: (what: C, port: number | undefined, signal: AbortSignal) => Promise<Running>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Starts it; rejects when that fails. A later start that fails falls back to what ran before. */
export async function restarting<C>({ read, start, log, signal }: Restarting<C>): Promise<Role> {
  const begin = async (what: C, port?: number) => {
    const ending = new AbortController();
    const running = await start(what, port, AbortSignal.any([signal, ending.signal]));
    return { what, running, end: () => ending.abort() };
  };
  let now = await begin(read());
  const { url } = now.running;
  const port = Number(new URL(url).port);
  let isRestarting = false;

  const reload = async (): Promise<void> => {
    const what = read();
    if (isDeepStrictEqual(what, now.what) || signal.aborted) return;
    const before = now;
    isRestarting = true;
    try {
      before.end();
      await before.running.stopped;
      now = await begin(what, port).catch(async (error: unknown) => {
        log.error({ event: 'role.reload-failed', err: error }, 'goes back to the configuration before');
        return begin(before.what, port);
      });
      log.info({ event: 'role.reloaded' }, 'reloaded');
    } finally {
      isRestarting = false;
      wake();
    }
  };

  let wake: () => void = () => undefined;
  const stopped = async (): Promise<void> => {
    for (;;) {
      const { running } = now;
      await running.stopped;
      if (isRestarting) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (running === now.running) return;
    }
  };
  return { url, stopped: stopped(), reload };
}
