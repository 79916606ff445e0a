/**
 * Reads packs in a thread, so that whoever asks for old bodies holds up nobody: one question at a time, the others wait in
 * the order they came. The thread is begun when it is needed, and ends when nobody has asked for a while, with all that it
 * keeps in memory.
 */
import { Worker } from 'node:worker_threads';
import { PackError } from '@highwater/config/proof/packed/pack.ts';
import { mutex } from '../mutex.ts';
import type { PackedPlace } from './pack-names.ts';
import type { PackReader } from './read-packs.ts';

/** Nobody has asked for so long, ms. */
const IDLE_MS = 60_000;

export type ReadingCall = {
  [K in keyof PackReader]: { call: K; with: Parameters<PackReader[K]> };
}[keyof PackReader];
export type ReadingAnswer =
  { readonly value: unknown } | { readonly error: string; readonly isDamaged: boolean };

/** `folder` is that of the blobs. It needs no end: a thread that waits keeps no process. */
export function readPacksApart(folder: string, idleMs: number = IDLE_MS): PackReader {
  const oneByOne = mutex();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;

  const end = (of: Worker | undefined): void => {
    if (worker === of) worker = undefined;
    void of?.terminate();
  };

  const begin = (): Worker => {
    const made = new Worker(new URL('./reading-worker.ts', import.meta.url), {
      workerData: { blobs: folder },
    });
    // Of one that ends without a question; a question has its own listener.
    made.on('error', () => end(made));
    made.on('exit', () => end(made));
    return made;
  };

  const ask = (call: ReadingCall): Promise<unknown> =>
    oneByOne(async () => {
      clearTimeout(idle);
      const thread = (worker ??= begin());
      thread.ref();
      try {
        const answered = await answerOf(thread, call);
        if ('value' in answered) return answered.value;
        throw answered.isDamaged ? new PackError(answered.error) : new Error(answered.error);
      } finally {
        thread.unref();
        idle = setTimeout(end, idleMs, thread).unref();
      }
    });

  return {
    find: (...args) => ask({ call: 'find', with: args }) as Promise<readonly PackedPlace[]>,
    segment: (...args) => ask({ call: 'segment', with: args }) as Promise<readonly string[] | undefined>,
  };
}

/** Rejects when the thread ends instead. */
function answerOf(thread: Worker, call: ReadingCall): Promise<ReadingAnswer> {
  return new Promise((resolve, reject) => {
    const settle = (work: () => void): void => {
      thread.off('message', told).off('error', failed).off('exit', ended);
      work();
    };
    const told = (answered: ReadingAnswer): void => settle(() => resolve(answered));
    const failed = (error: Error): void => settle(() => reject(error));
    const ended = (): void => settle(() => reject(new Error('the thread that reads packs has ended')));
    thread.on('message', told).on('error', failed).on('exit', ended);
    thread.postMessage(call);
  });
}
