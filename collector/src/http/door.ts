/** Where calls come in: they go to the routes that hold now, and wait while one configuration hands over to the next. */
import { setTimeout as delay } from 'node:timers/promises';
import { withOpenapi } from './openapi.ts';
import { HttpError, type Reply } from './reply.ts';
import type { Call, Route } from './routes.ts';

/** A call that has waited so long at the door is asked to come again, ms. A hand-over takes some tenths of a second. */
const MAX_WAIT_MS = 20_000;

/** Routes, and the signal that aborts when they hold no longer. */
export interface Behind {
  readonly routes: readonly Route[];
  readonly signal: AbortSignal;
}

export interface Door {
  /**
   * All that is answered now: the lasting routes, and those that hold now, behind the door: a call that waits at it is
   * answered by those that hold then.
   */
  routes(): readonly Route[];
  /** Lets nobody in any more, and resolves when those inside have left, but for those whose bodies are on the way. */
  close(): Promise<void>;
  open(behind: Behind): void;
}

interface Inside {
  readonly left: Promise<unknown>;
  readonly isReading: () => boolean;
}

/**
 * A door that is closed until it is first opened.
 * @param lasting calls of the process itself, which wait for nobody
 */
export function openDoor(lasting: readonly Route[] = [], maxWaitMs = MAX_WAIT_MS): Door {
  let behind: Behind = { routes: [], signal: new AbortController().signal };
  let all: readonly Route[] = withOpenapi(lasting);
  let opening: PromiseWithResolvers<void> | undefined = Promise.withResolvers();
  const inside = new Set<Inside>();

  /** Throws HttpError 503 when it takes too long. */
  const myTurn = async (): Promise<void> => {
    const over = new AbortController();
    const late = delay(maxWaitMs, 'late', { signal: over.signal, ref: false }).catch(() => undefined);
    try {
      while (opening !== undefined) {
        if ((await Promise.race([opening.promise, late])) !== 'late') continue;
        throw new HttpError(503, 'a new configuration is taking long to load', 'come again', {
          'retry-after': '1',
        });
      }
    } finally {
      over.abort();
    }
  };

  const answer = async ({ method, path }: Route, call: Call): Promise<Reply> => {
    const { routes, signal } = behind;
    const route = routes.find((each) => each.method === method && each.path === path);
    if (route === undefined) throw new HttpError(404, 'there is nothing at this path');
    const { request, query, params } = call;
    let ends: AbortSignal | undefined;
    return route.handle({
      request,
      query,
      params,
      // Made for those who hold their call, as the server's own: one that is made is also aborted with each call.
      get signal() {
        return (ends ??= AbortSignal.any([call.signal, signal]));
      },
    });
  };

  const pass = async (route: Route, call: Call): Promise<Reply> => {
    if (opening !== undefined) await myTurn();
    const done = answer(route, call);
    const me = { left: done.catch(() => undefined), isReading: () => !call.request.complete };
    inside.add(me);
    try {
      return await done;
    } finally {
      inside.delete(me);
    }
  };

  return {
    routes: () => all,
    async close() {
      opening ??= Promise.withResolvers();
      await Promise.all([...inside].filter((each) => !each.isReading()).map(({ left }) => left));
    },
    open(next) {
      behind = next;
      const guarded = next.routes.map((route): Route => ({ ...route, handle: (call) => pass(route, call) }));
      all = withOpenapi([...lasting, ...guarded]);
      opening?.resolve();
      opening = undefined;
    },
  };
}
