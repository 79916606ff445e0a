import type { FeedPage } from '@highwater/config/wire.ts';
import { feedPage } from '@highwater/config/wire.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { Bell } from '../bell.ts';
import type { Store } from '../store/store.ts';
import { HOUSE_SHARD } from '../watched.ts';

/**
 * Which history of the feed this is: a row of the house's shard that a restore writes anew, since the numbers go back
 * to those of the backup then. None in a store that was never restored.
 */
export const FEED_CORE = 'feed';
export const FEED_KEY = 'history';

/** Events in one answer. */
const PAGE = 200;

async function page(store: Store, after: number, now: number): Promise<FeedPage> {
  return store.read(HOUSE_SHARD, async (tx) => {
    const rows = await tx.eventsAfter(after, PAGE);
    const events = rows.map(({ seq, at, body }) => ({ ...body, seq, at }));
    const history = (await tx.getState(FEED_CORE, FEED_KEY))?.value;
    return feedPage.parse({ events, last: await tx.lastEventSeq(), at: now, history });
  });
}

/** The feed after a number: what there is, or what comes within `waitMs`. An empty page says that nothing came. */
export async function feedAfter(
  store: Store,
  fed: Bell,
  clock: Clock,
  after: number,
  waitMs: number,
  signal: AbortSignal,
): Promise<FeedPage> {
  const until = clock.monotonic() + waitMs;
  for (;;) {
    const seen = fed.rung();
    const found = await page(store, after, clock.now());
    const left = until - clock.monotonic();
    if (found.events.length > 0 || left <= 0 || signal.aborted) return found;
    await fed.next(seen, left, signal);
  }
}
