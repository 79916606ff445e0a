/** A report's work on files alone: reads the store by its own connections, and writes into the reports' folder. */
import type { Progress } from '@highwater/config/bundle/check.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { readCopy } from '../store/sqlite/sqlite-store.ts';
import { HOUSE_SHARD, LOG_SHARD } from '../watched.ts';
import { type FinishData, finishReport, type MakeData, makeReport } from './make.ts';
import type { Made } from './states.ts';

/** Path of the store, and folder of the blobs. */
export interface JobPlaces {
  readonly store: string;
  readonly blobs: string;
}

/** Rejects with NoReport, Mismatch, or what the disk says. */
export interface ReportJobs {
  make(data: MakeData, progress: (progress: Progress) => void): Promise<Made>;
  finish(data: FinishData): Promise<{ readonly bytes: number; readonly files: number }>;
}

/** In the thread that calls. */
export function reportJobs({ store, blobs }: JobPlaces): ReportJobs {
  return {
    // No transaction is open between two reads: the write-ahead log can be taken in at any time.
    make: (data, progress) =>
      readCopy(store, LOG_SHARD, (log) =>
        readCopy(store, HOUSE_SHARD, (house) =>
          makeReport(data, { log, house, blobs: folderBlobs(blobs) }, progress),
        ),
      ),
    finish: finishReport,
  };
}
