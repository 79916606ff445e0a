/** A report is made apart from the thread that takes in batches. */
import { Worker } from 'node:worker_threads';
import type { Progress } from '@highwater/config/bundle/check.ts';
import type { JobPlaces, ReportJobs } from './job.ts';
import { type FinishData, type MakeData, Mismatch } from './make.ts';
import { NoReport } from './no-report.ts';

export type Job =
  { readonly do: 'make'; readonly with: MakeData } | { readonly do: 'finish'; readonly with: FinishData };

export interface ThreadData extends JobPlaces {
  readonly job: Job;
}

export type ThreadAnswer =
  | { readonly progress: Progress }
  | { readonly value: unknown }
  | { readonly error: string; readonly kind: 'nothing' | 'mismatch' | 'failed' };

/** Heap of the thread, MB: a month of a hundred monitors takes some hundreds. */
const MAX_HEAP_MB = 4_096;

const errors = { nothing: NoReport, mismatch: Mismatch, failed: Error } as const;

/** Aborting `signal` ends what runs; it then rejects. */
export function reportThread({ store, blobs }: JobPlaces, signal: AbortSignal): ReportJobs {
  const run = (job: Job, progress: (progress: Progress) => void): Promise<unknown> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const worker = new Worker(new URL('./worker.ts', import.meta.url), {
        workerData: { store, blobs, job } satisfies ThreadData,
        resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
      });
      const stop = (): void => void worker.terminate();
      signal.addEventListener('abort', stop, { once: true });
      worker.on('message', (answer: ThreadAnswer) => {
        if ('progress' in answer) progress(answer.progress);
        else if ('value' in answer) resolve(answer.value);
        else reject(new errors[answer.kind](answer.error));
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        signal.removeEventListener('abort', stop);
        reject(new Error('the thread that makes reports has ended'));
      });
    });
  return {
    make: (data, progress) => run({ do: 'make', with: data }, progress) as ReturnType<ReportJobs['make']>,
    finish: (data) => run({ do: 'finish', with: data }, () => undefined) as ReturnType<ReportJobs['finish']>,
  };
}
