/** The thread that packs: its own connection, which only reads, and the main thread for everything that changes the store. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { openPacked } from '../bodies/packed.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import type { ReadTx } from '../store/store.ts';
import { readCopy } from '../store/sqlite/sqlite-store.ts';
import { LOG_SHARD } from '../watched.ts';
import { type PackingPort, packDays } from './pack-days.ts';
import { packFiles } from './pack-files.ts';

export interface PackingData {
  /** Path of the store, and folder of the blobs. */
  readonly store: string;
  readonly blobs: string;
  readonly now: number;
}

/** Asks the main thread, which answers once it has done so. */
export type PackingCall = {
  [K in keyof PackingPort]: { call: K; with: Parameters<PackingPort[K]> };
}[keyof PackingPort];

async function ask(call: PackingCall): Promise<void> {
  const answered = once(parentPort ?? new EventTarget(), 'message');
  parentPort?.postMessage(call);
  await answered;
}

const port: PackingPort = {
  writing: (...args) => ask({ call: 'writing', with: args }),
  written: (...args) => ask({ call: 'written', with: args }),
  packed: (...args) => ask({ call: 'packed', with: args }),
  placed: (...args) => ask({ call: 'placed', with: args }),
  walked: (...args) => ask({ call: 'walked', with: args }),
  failed: (...args) => ask({ call: 'failed', with: args }),
};

const { store, blobs: root, now } = workerData as PackingData;
const blobs = folderBlobs(root);
// No transaction is open between two reads: the write-ahead log can be taken in at any time.
await readCopy(store, LOG_SHARD, async (tx: ReadTx) => {
  const packed = openPacked((work) => work(tx), blobs);
  const work = { tx, blobs, packed, port, now };
  await packDays(work);
  await packFiles(work);
});
// The port would keep the thread.
parentPort?.close();
