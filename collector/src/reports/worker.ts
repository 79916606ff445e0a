/** The thread that makes a report. */
import { parentPort, workerData } from 'node:worker_threads';
import { reportJobs } from './job.ts';
import { Mismatch } from './make.ts';
import { NoReport } from './no-report.ts';
import type { ThreadAnswer, ThreadData } from './thread.ts';

async function work({ job, ...places }: ThreadData): Promise<unknown> {
  const jobs = reportJobs(places);
  return job.do === 'finish' ? jobs.finish(job.with) : jobs.make(job.with, (progress) => tell({ progress }));
}

function tell(answer: ThreadAnswer): void {
  parentPort?.postMessage(answer);
}

try {
  tell({ value: await work(workerData as ThreadData) });
} catch (error) {
  const says = error instanceof Error ? error.message : String(error);
  const kind = error instanceof NoReport ? 'nothing' : error instanceof Mismatch ? 'mismatch' : 'failed';
  tell({ error: says, kind });
}
// The port would keep the thread.
parentPort?.close();
