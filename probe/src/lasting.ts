/** What a monitor keeps open between its rounds. One shelf for each monitor. */
import type { LastingWay, SocketLink } from '@highwater/config/kinds.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { AssignedMonitor } from '@highwater/config/wire.ts';
import { echoesOf } from './echoes.ts';
import { openWay } from './io/exchange.ts';
import type { Outside } from './io/outside.ts';
import { openSocket } from './io/socket.ts';
import { openTarget, type SecretShelf } from './secrets.ts';

/** What it needs of the house; always that of the latest round. */
interface House {
  readonly outside: Outside;
  readonly secrets: SecretShelf;
  now(): Instant;
}

/** Disposed when the monitor is no longer assigned, was changed, or the probe ends. */
export interface LastingShelf extends Disposable {
  /** As CheckContext.lasting. Once disposed, what is opened is disposed at once: its round has nobody to report to. */
  take<T extends Disposable>(name: string, open: (way: LastingWay) => T, house: House): T;
}

export function lastingShelf(monitor: AssignedMonitor): LastingShelf {
  const ending = new AbortController();
  const things = new Map<string, Disposable>();
  const links = new Set<SocketLink>();
  let house: House | undefined;

  const wayThrough = (first: House): LastingWay => ({
    signal: ending.signal,
    // Secrets are fetched for each connection, so that a new one is used as soon as it is there.
    now: () => (house ?? first).now(),
    monotonic: () => (house ?? first).outside.monotonic(),
    async socket(request, signal) {
      const { outside, secrets } = house ?? first;
      const target = openTarget(monitor.target, secrets);
      const open = () => openSocket(target, outside, request, signal);
      const link = await (echoesOf(target)?.opened(open) ?? open());
      for (const old of links) if (old.closed) links.delete(old);
      links.add(link);
      if (ending.signal.aborted) link[Symbol.dispose]();
      return link;
    },
    async exchange(request, signal) {
      const { outside, secrets } = house ?? first;
      const target = openTarget(monitor.target, secrets);
      const way = openWay(target, outside, signal);
      const ask = () => way.exchange(request);
      try {
        return await (echoesOf(target)?.answered(ask) ?? ask());
      } finally {
        way.close();
      }
    },
  });

  return {
    take<T extends Disposable>(name: string, open: (way: LastingWay) => T, now: House): T {
      house = now;
      // A name stands for one type: each is used in one place.
      const known = things.get(name) as T | undefined;
      if (known) return known;
      const made = open(wayThrough(now));
      if (ending.signal.aborted) made[Symbol.dispose]();
      else things.set(name, made);
      return made;
    },
    [Symbol.dispose]() {
      ending.abort(new Error('the monitor is no longer assigned'));
      for (const thing of things.values()) thing[Symbol.dispose]();
      things.clear();
      for (const link of links) link[Symbol.dispose]();
      links.clear();
    },
  };
}
