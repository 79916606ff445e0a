/**
 * Pages as bytes: each address is rendered once a frame, kept with its ETag and its gzip form, and served
 * from memory until the next frame. Nothing of a request but its address reaches the renderer.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { freshness, type Frame } from '../src/lib/frame.ts';
import type { Follower } from '../src/lib/server/collector.ts';

export interface Page {
  readonly status: number;
  /** Lower case names; never the content's length or encoding. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Weak: the same for both encodings. */
  readonly etag: string;
  /** Compressed on first use; undefined when that is not worth it. */
  gzipped(): Promise<Buffer> | undefined;
}

/** Renders one address of one frame. */
export type Render = (address: string, frame: Frame) => Promise<Response>;

export interface Pages {
  get(address: string): Promise<Page>;
}

export interface PagesBounds {
  /** For pages that say nothing about now: how long a frame is used. */
  readonly frameMs?: number;
  /** Default MAX_PAGES. */
  readonly maxPages?: number;
}

/** A frame is used for this long even if nothing changed, so that the ages in the text stay true. */
const FRAME_MS = 5_000;
/** Addresses kept; past it pages are rendered each time. */
const MAX_PAGES = 5_000;
const MIN_GZIP_BYTES = 1_000;

const compress = promisify(gzip);

/** Pages of what the follower knows. `get` rejects when rendering fails. */
export function pagesOf(
  follower: Pick<Follower, 'frame' | 'version'>,
  render: Render,
  { frameMs, maxPages = MAX_PAGES }: PagesBounds = {},
): Pages {
  const endOf = (frame: Frame): number => frame.now + (frameMs ?? lastsMs(frame));
  let frame = follower.frame();
  let until = endOf(frame);
  let version = follower.version();
  let kept = new Map<string, Promise<Page>>();

  function freshen(): void {
    const now = Date.now();
    if (version === follower.version() && now < until && now >= frame.now) return;
    version = follower.version();
    frame = follower.frame();
    until = endOf(frame);
    kept = new Map();
  }

  return {
    get(address) {
      freshen();
      const found = kept.get(address);
      if (found) return found;
      const keeper = kept;
      const page = render(address, frame).then(toPage);
      if (keeper.size >= maxPages) return page;
      keeper.set(address, page);
      // Only what exists is kept: addresses that do not are without number.
      page.then(
        (made) => isKept(made) || keeper.delete(address),
        () => keeper.delete(address),
      );
      return page;
    },
  };
}

/** How long a frame is used: five seconds, and at most until its data becomes stale. */
function lastsMs(frame: Frame): number {
  const fresh = freshness(frame);
  const left = fresh.kind === 'fresh' ? (frame.snapshot?.staleAfterMs ?? 0) - fresh.ageMs + 1 : FRAME_MS;
  return Math.min(FRAME_MS, left);
}

function isKept(page: Page): boolean {
  return page.status === 200 && page.headers['cache-control'] !== 'no-store';
}

async function toPage(response: Response): Promise<Page> {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = Object.fromEntries(response.headers);
  delete headers['content-length'];
  delete headers['x-sveltekit-page'];
  if (headers['content-type'] === 'text/html') headers['content-type'] = 'text/html; charset=utf-8';
  let packed: Promise<Buffer> | undefined;
  return {
    status: response.status,
    headers,
    body,
    etag: `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    gzipped: () => (body.length < MIN_GZIP_BYTES ? undefined : (packed ??= compress(body))),
  };
}
