/** One generation follows another: calls wait at the door meanwhile, and at its end there is always one that runs. */
import type { Door } from '../http/door.ts';
import { type Declared, type Generation, openGeneration } from '../generation.ts';
import type { Lasting } from '../lasting.ts';
import { declare, type Prepared } from './declare.ts';

export interface Succession {
  /** The configuration that runs, as it was prepared. */
  readonly current: Prepared & Declared;
  /** The witnesses of the first configuration were asked what they know. */
  readonly heard: Promise<void>;
  /** Follows up on what arrives. */
  start(): void;
  /**
   * Lets a configuration that is declared take over. When it can't, the one before takes over again, with a leaf of its
   * own, and this rejects with the reason; when that fails too, `broken` rejects: nothing is judged any more.
   */
  handOver(next: Prepared & Declared): Promise<void>;
  end(): Promise<void>;
  readonly broken: Promise<never>;
}

/** Opens the first generation and then the door. Rejects when that fails. */
export async function openSuccession(
  lasting: Lasting,
  door: Door,
  first: Prepared & Declared,
): Promise<Succession> {
  const { log, bells } = lasting;
  const { promise: broken, reject: breakDown } = Promise.withResolvers<never>();
  broken.catch(() => undefined);

  const open = async (declared: Declared): Promise<Generation> => {
    const generation = await openGeneration(lasting, declared);
    // The key of the log that begins with its leaf is named from the first on.
    await lasting.publishedLog.ready();
    await lasting.assignments.of(declared.watched.config, declared.configHash);
    return generation;
  };
  const enter = (generation: Generation): void => {
    door.open(generation);
    // What is new of its assignments is fetched by calls that wait.
    bells.assigned.ring();
  };

  let current = first;
  let generation = await open(first);
  const { heard } = generation;
  enter(generation);

  const goBack = async (before: Prepared): Promise<void> => {
    try {
      current = { ...before, ...(await declare(lasting, before)) };
      generation = await open(current);
    } catch (error) {
      log.fatal({ err: error }, 'config-lost');
      breakDown(error);
      throw error;
    }
  };

  return {
    get current() {
      return current;
    },
    heard,
    start: () => generation.start(),
    async handOver(next) {
      // What takes long of the old one ends while calls are still answered.
      await generation.rest();
      const closedAt = performance.now();
      const left = door.close();
      await generation.end();
      await left;
      const before = current;
      try {
        generation = await open(next);
        current = next;
      } catch (error) {
        log.fatal({ err: error }, 'config-failed-and-the-one-before-goes-on');
        await goBack(before);
        throw error;
      } finally {
        enter(generation);
        generation.start();
      }
      const heldMs = Math.round(performance.now() - closedAt);
      log.info({ heldMs, monitors: next.watched.monitors.size }, 'config-handed-over');
    },
    end: () => generation.end(),
    broken,
  };
}
