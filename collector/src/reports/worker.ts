/** The thread that makes a report: its own connections, which only read; what it writes are files of the reports' folder. */
import { parentPort, workerData } from 'node:worker_threads';
import { folderBlobs } from '../store/blobs/folder.ts';
import { readCopy } from '../store/sqlite/sqlite-store.ts';
import { HOUSE_SHARD, LOG_SHARD } from '../watched.ts';
import { finishReport, makeReport, Mismatch } from './make.ts';
import { NoReport } from './plan.ts';
import type { ThreadAnswer, ThreadData } from './thread.ts';

async function work({ store, blobs, job }: ThreadData): Promise<unknown> {
  if (job.do === 'finish') return finishReport(job.with);
  // No transaction is open between two reads: the write-ahead log can be taken in at any time.
  return readCopy(store, LOG_SHARD, (log) =>
    readCopy(store, HOUSE_SHARD, (house) =>
      makeReport(job.with, { log, house, blobs: folderBlobs(blobs) }, (progress) => tell({ progress })),
    ),
  );
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
