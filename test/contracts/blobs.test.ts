import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderBlobs } from '@highwater/collector/store/blobs/folder.ts';
import { blobsContract } from './blobs.ts';

let root = '';
blobsContract('in a folder', {
  async open() {
    root = mkdtempSync(join(tmpdir(), 'highwater-blobs-'));
    return folderBlobs(root);
  },
  reopen: async () => folderBlobs(root),
  dispose: async () => rmSync(root, { recursive: true, force: true }),
});
