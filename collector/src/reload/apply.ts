/** A new configuration for a collector that runs: all of it, or nothing. */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '@highwater/config/model.ts';
import type { ConfigApplied } from '@highwater/config/wire.ts';
import { HttpError } from '../http/reply.ts';
import type { Lasting } from '../lasting.ts';
import { mutex } from '../mutex.ts';
import { changesBetween } from './changes.ts';
import { declare, inForceFrom, prepare, type Prepared } from './declare.ts';
import type { Succession } from './succession.ts';

/** Calls that may wait for each other; more are asked to come again. */
const MAX_WAITING = 4;

/** How configurations are read and kept: who starts the collector knows the kinds of checks, and the file. */
export interface ConfigSource {
  /** Decodes a text; else every problem, a line each, as `config check` prints them. `name` is what they call the file. */
  read(text: string, name?: string): { readonly config: Config } | { readonly problems: readonly string[] };
  /** The configuration file: an absolute path. */
  readonly file: string;
  /** What the configuration file holds now. Throws an Error that says why it can't be read. */
  text(): string;
  /**
   * Makes this text the configuration file's, durably; nothing when it is already. Returns what puts the one before
   * back. Throws an Error with the remedy where that can't be, with nothing changed.
   */
  keep(text: string): () => void;
  /** Called after a text was applied, or found to change nothing. */
  applied?(answer: ConfigApplied): void;
}

export interface Applier {
  /**
   * Applies a text, and makes it the configuration file's. Rejects with HttpError 400 for a text with mistakes, 409
   * where the file can't be replaced, 429 when too many wait; the collector then runs on as it did.
   */
  readonly apply: (text: string, name?: string) => Promise<ConfigApplied>;
  /** The same with what the configuration file holds now; 409 where it can't be read. */
  readonly reload: () => Promise<ConfigApplied>;
  /** Resolves when none is under way. */
  readonly idle: () => Promise<void>;
}

interface Given {
  readonly text: string;
  readonly name?: string | undefined;
  /** It is what the configuration file holds. */
  readonly isFile: boolean;
}

function readOrRefuse(source: ConfigSource, text: string, name: string | undefined): Config {
  const read = source.read(text, name);
  if ('config' in read) return read.config;
  throw new HttpError(400, read.problems.join('\n'), 'nothing was changed; mend it and apply it again');
}

/** Everything that can be wrong with a configuration is found here. */
function prepareOrRefuse(lasting: Lasting, config: Config): Prepared {
  if (config.origin !== lasting.origin) {
    throw new HttpError(
      400,
      `log.origin: ${config.origin}: the log is ${lasting.origin}, fixed at first start`,
      `write log: { origin: "${lasting.origin}" }, which also lets site.url change; nothing was changed`,
    );
  }
  try {
    return prepare(lasting, config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HttpError(400, reason, 'nothing was changed; mend it and apply it again');
  }
}

/**
 * The file goes first: it can be put back, a leaf can't be taken back. Whoever is killed in between starts with the new
 * file and declares it then, so that the log never has a configuration which nobody went on to run.
 */
function keepOrRefuse(source: ConfigSource, text: string): () => void {
  try {
    return source.keep(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HttpError(409, reason, 'nothing was changed');
  }
}

export function openApplier(
  lasting: Lasting,
  succession: Succession,
  source: ConfigSource,
  signal: AbortSignal,
): Applier {
  const alone = mutex();
  const { clock, log } = lasting;
  let waiting = 0;

  const takeOver = async (prepared: Prepared, putBack: () => void): Promise<void> => {
    try {
      const declared = await declare(lasting, prepared);
      await succession.handOver({ ...prepared, ...declared });
    } catch (error) {
      try {
        putBack();
      } catch (left) {
        // Why it could not be applied is what the caller has to know.
        log.error({ err: left }, 'config-file-not-put-back');
      }
      throw error;
    }
  };

  const apply = async ({ text, name, isFile }: Given): Promise<ConfigApplied> => {
    const config = readOrRefuse(source, text, name);
    const prepared = prepareOrRefuse(lasting, config);
    if (signal.aborted) {
      throw new HttpError(503, 'the collector is ending', 'come again', { 'retry-after': '5' });
    }
    const before = succession.current;
    const isNew = !isDeepStrictEqual(config, before.watched.config);
    // Also for other comments, or another way to write the same: what was applied last is what the next start reads.
    const putBack = isFile ? () => undefined : keepOrRefuse(source, text);
    if (isNew) await takeOver(prepared, putBack);
    const at = clock.now();
    const changes = changesBetween(before.watched.config, config);
    const isNewLeaf = succession.current.configHash !== before.configHash;
    // What is in no leaf holds at once.
    const answer: ConfigApplied = {
      result: isNew ? 'applied' : 'unchanged',
      config: succession.current.configHash,
      isNewLeaf,
      file: source.file,
      inForceFrom: isNew && !isNewLeaf ? at : await inForceFrom(lasting),
      at,
      changes,
    };
    const { result, inForceFrom: from } = answer;
    log.info({ result, config: answer.config, file: source.file, inForceFrom: from }, 'config-applied');
    source.applied?.(answer);
    return answer;
  };

  const queued = async (given: () => Given): Promise<ConfigApplied> => {
    if (waiting >= MAX_WAITING) {
      throw new HttpError(429, 'other configurations are being applied', 'come again', {
        'retry-after': '1',
      });
    }
    waiting += 1;
    try {
      return await alone(async () => apply(given()));
    } finally {
      waiting -= 1;
    }
  };

  return {
    apply: (text, name) => queued(() => ({ text, name, isFile: false })),
    reload: () =>
      queued(() => {
        let text: string;
        try {
          text = source.text();
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          throw new HttpError(409, reason, 'nothing was changed');
        }
        return { text, name: source.file, isFile: true };
      }),
    idle: () => alone(async () => undefined),
  };
}
