/** The thread that reads packs: answers one question after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { PackError } from '@highwater/config/proof/packed/pack.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { readPacks } from './read-packs.ts';
import type { ReadingAnswer, ReadingCall } from './reading-thread.ts';

const reader = readPacks(folderBlobs((workerData as { readonly blobs: string }).blobs));

async function answer(call: ReadingCall): Promise<ReadingAnswer> {
  try {
    const value = call.call === 'find' ? await reader.find(...call.with) : await reader.segment(...call.with);
    return { value };
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    return { error: says, isDamaged: error instanceof PackError };
  }
}

parentPort?.on('message', (call: ReadingCall) => {
  void answer(call).then((answered) => parentPort?.postMessage(answered));
});
