/**
 * Says once that the collector cannot be reached, and once that it can be again, whoever asked it: a wrong address
 * must not look like a probe that works. Any answer counts as reached; what it says is the asker's to tell.
 */
import type { Logger } from 'pino';
import type { CollectorLink } from './collector-link.ts';

const warnAfterMs = 10_000;
const warnAfterTries = 3;

/** The same link. `monotonic` in ms. */
export function watchLink(
  link: CollectorLink,
  collectorUrl: string,
  log: Logger,
  monotonic: () => number,
): CollectorLink {
  const url = shownUrl(collectorUrl);
  /** From the start until the first answer, later from the first miss: a long poll may end long after the last answer. */
  let awaySince: number | undefined = monotonic();
  let tries = 0;
  let warned = false;

  const reached = () => {
    const awayS = Math.round((monotonic() - (awaySince ?? monotonic())) / 1_000);
    if (warned) log.info({ url, awayS }, 'collector.reached-again');
    warned = false;
    tries = 0;
    awaySince = undefined;
  };
  const missed = (thrown: unknown) => {
    tries += 1;
    awaySince ??= monotonic();
    const forMs = monotonic() - awaySince;
    if (warned || (tries < warnAfterTries && forMs < warnAfterMs)) return;
    warned = true;
    const remedy = 'what is seen is kept and sent later; check --collector, and that the collector runs';
    log.warn({ url, tries, because: causeOf(thrown), remedy }, 'collector.unreachable');
  };
  const watched = async <T>(call: Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      const answer = await call;
      reached();
      return answer;
    } catch (thrown) {
      // Who stops asking has not been refused an answer.
      if (!signal?.aborted) missed(thrown);
      throw thrown;
    }
  };
  return {
    post: (path, contentType, body) => watched(link.post(path, contentType, body)),
    get: (path, headers, timeoutMs, signal, maxBytes) =>
      watched(link.get(path, headers, timeoutMs, signal, maxBytes), signal),
    close: () => link.close(),
  };
}

/** Without a name, a password or parameters. */
function shownUrl(text: string): string {
  const url = URL.parse(text);
  return url ? `${url.origin}${url.pathname}` : 'malformed';
}

/** A refusal on every address of a name has no message of its own, only a code. */
function causeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name;
  return thrown.message === '' ? code : thrown.message;
}
