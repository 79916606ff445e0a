/** The log's work as long as the process lives: whatever is configured, what was acknowledged comes into the tree. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bell } from '../bell.ts';
import { loops, pace } from '../loops.ts';
import type { Watched } from '../watched.ts';
import type { Hold } from './hold.ts';
import type { Log } from './log.ts';
import { askPage } from './page.ts';

/** Merges are at least so far apart, ms, while all that is there fits into one: each costs a dozen fsyncs. */
const MERGE_EVERY_MS = 2_000;
/** Without a ring it is looked at so often, ms: merged within a minute, whatever a bell has missed. */
const LOOK_EVERY_MS = 20_000;
/** The own page is asked so often, ms. */
const PAGE_EVERY_MS = 60_000;

export interface RunParts {
  readonly publishedLog: Log;
  readonly hold: Hold;
  readonly log: Logger;
  /** Rings when something was committed. */
  readonly committed: Bell;
  /** Rung after each checkpoint that was published. */
  readonly published: Bell;
  /** The configuration that runs. */
  readonly watched: () => Watched;
  /** Resolved once others who may know more, the witnesses, were asked. */
  readonly heard: Promise<unknown>;
  /** Makes assignments anew when the keys that they name have changed. */
  readonly assign: () => Promise<void>;
}

/** Resolves when the signal has aborted and no merge runs any more. Never rejects. */
export async function runLog(parts: RunParts, signal: AbortSignal): Promise<void> {
  const { publishedLog, committed, watched } = parts;
  const siteUrl = (): string => watched().config.site.url;
  const first = askPage(publishedLog, siteUrl(), signal);
  const probes = watched().config.probes.map(({ id }) => id);
  await parts.hold.over(probes, [first, parts.heard], signal);
  const paced = pace(MERGE_EVERY_MS, signal);
  let named = publishedLog.keys.join();
  await loops(
    {
      async log() {
        const seen = committed.rung();
        if (await publishedLog.beat()) parts.published.ring();
        const keys = publishedLog.keys.join();
        if (keys !== named) await parts.assign();
        named = keys;
        const { pending, refused } = publishedLog.status();
        // More than one merge takes up: the next one follows at once.
        if (pending > 0 && refused === undefined) return;
        await committed.next(seen, LOOK_EVERY_MS, signal);
        await paced();
      },
      async page() {
        await delay(PAGE_EVERY_MS, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) await askPage(publishedLog, siteUrl(), signal);
      },
    },
    parts.log,
    signal,
  );
}
