/** A bundle's files from this site, one request each, with those on their way that will be asked for next. */
import { BundleError, type BundleFiles, MAX_FILE_BYTES, names } from '@highwater/config/bundle/files.ts';
import { compareNames } from '@highwater/config/bundle/order.ts';
import { parseRange } from '@highwater/config/bundle/range.ts';
import { aheadOf, type Ahead } from './ahead.ts';

/** On their way at once. A file of bodies has 8 MiB, rarely more. */
const AT_ONCE = 6;
const TRIES = 4;
/** After the first time that a file did not come; doubled each time. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

interface Coming {
  readonly file: Promise<Uint8Array | undefined>;
  readonly stop: AbortController;
}

/** @param at `/reports/2026-10/bundle/`; names follow it */
export function servedFiles(at: string, query: string): BundleFiles {
  const coming = new Map<string, Coming>();
  let ahead: Ahead | undefined;

  function start(name: string): Coming {
    const stop = new AbortController();
    const file = fetchFile(`${at}${name}${query}`, name, stop.signal);
    // Whoever reads it hears of what went wrong; a guess that nobody reads is nobody's problem.
    file.catch(() => undefined);
    const one = { file, stop };
    coming.set(name, one);
    return one;
  }

  return {
    async read(name, maxBytes) {
      const one = coming.get(name) ?? start(name);
      coming.delete(name);
      for (const [other, { stop }] of coming) {
        if (compareNames(other, name) > 0) continue;
        stop.abort();
        coming.delete(other);
      }
      for (const next of ahead?.next(AT_ONCE) ?? [])
        if (compareNames(next, name) > 0 && !coming.has(next) && coming.size < AT_ONCE) start(next);
      const bytes = await one.file;
      if (bytes !== undefined && bytes.length > maxBytes) throw tooLarge(name, maxBytes);
      if (name === names.range && bytes !== undefined) {
        const range = parseRange(new TextDecoder().decode(bytes));
        if (!('error' in range)) ahead = aheadOf(range);
      }
      ahead?.asked(name, bytes !== undefined);
      return bytes;
    },
  };
}

async function fetchFile(url: string, name: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await fetch(url, { signal, credentials: 'omit', redirect: 'error' });
      if (answer.status === 404) return undefined;
      if (answer.ok) return await take(answer, name);
      if (answer.status < 500 && answer.status !== 429)
        throw new BundleError(name, `the site answered ${answer.status}`);
      if (tries === TRIES)
        throw new BundleError(name, `the site answered ${answer.status}, ${TRIES} times; try again later`);
      await wait(
        Math.min(1_000 * Number(answer.headers.get('retry-after') ?? 0), MAX_RETRY_MS),
        tries,
        signal,
      );
    } catch (error) {
      if (error instanceof BundleError || signal.aborted) throw error;
      if (tries === TRIES)
        throw new BundleError(name, 'it did not come from the site: is there a network?', { cause: error });
      await wait(0, tries, signal);
    }
  }
}

async function take(answer: Response, name: string): Promise<Uint8Array> {
  if (!answer.body) return new Uint8Array();
  const reader = answer.body.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined) break;
    bytes += value.length;
    if (bytes > MAX_FILE_BYTES) {
      await reader.cancel();
      throw tooLarge(name, MAX_FILE_BYTES);
    }
    parts.push(value);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function tooLarge(name: string, maxBytes: number): BundleError {
  return new BundleError(name, `it has over ${maxBytes} bytes`);
}

function wait(atLeastMs: number, tries: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.max(atLeastMs, RETRY_MS * 2 ** (tries - 1)));
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('stopped', 'AbortError'));
    });
  });
}
