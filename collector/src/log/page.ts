/**
 * The checkpoint that our own page shows: readers may have been given it by another collector with our key, or by this
 * one before its store was replaced. It is signed, so the way it comes by need not be.
 */
import { MAX_SHOWN_CHARS } from './evidence.ts';
import type { Log } from './log.ts';

/** For the whole answer, ms. */
const DEADLINE_MS = 3_000;

/** The text at a URL; undefined for anything but a 200 of at most MAX_SHOWN_CHARS bytes in time. Never rejects. */
async function textAt(url: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
      parts.push(part);
      length += part.length;
      if (length > MAX_SHOWN_CHARS) break;
    }
    return answer.status === 200 && length <= MAX_SHOWN_CHARS
      ? Buffer.concat(parts).toString('utf8')
      : undefined;
  } catch {
    return undefined;
  }
}

/** Asks the page for its newest checkpoint, and lets the log look at it. A page that is away says nothing. */
export async function askPage(
  log: Pick<Log, 'shown' | 'status'>,
  siteUrl: string,
  signal: AbortSignal,
): Promise<void> {
  const url = `${siteUrl.replace(/\/+$/, '')}/log/${log.status().year}/checkpoint`;
  const note = await textAt(url, signal);
  if (note !== undefined) await log.shown(note, `the page ${url}`);
}
