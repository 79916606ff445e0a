/** Whether a backup is whole, before anything is made of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blobOf } from '../log/files.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { damageOf } from '../store/sqlite/snapshot.ts';
import { isCode } from '../store/blobs/durable.ts';
import { hashOfFile, sizeOf } from './files.ts';
import { type BackedFile, manifest, type Manifest, MANIFEST } from './manifest.ts';
import { BackupProblem } from './problem.ts';
import { wrongTiles } from './tiles.ts';

const DAMAGED = 'take an older backup, or this one from where it was copied';

export async function readManifest(dir: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(dir, MANIFEST), 'utf8');
  } catch (error) {
    if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new BackupProblem(
      'usage',
      `${dir} is no backup: it has no ${MANIFEST}`,
      'name a folder that highwater backup made; one that was stopped before its end is none',
    );
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    data = undefined;
  }
  const read = manifest.safeParse(data);
  if (read.success) return read.data;
  throw new BackupProblem(
    'no',
    `${join(dir, MANIFEST)} is not one of this version, or damaged`,
    'restore it with the version that made it, or take another backup',
  );
}

async function demandFile(dir: string, file: BackedFile): Promise<void> {
  const path = join(dir, file.path);
  const size = await sizeOf(path);
  if (size !== file.bytes || (await hashOfFile(path)) !== file.sha256) {
    throw new BackupProblem('no', `${path} is not the file that was backed up`, DAMAGED);
  }
}

/** The manifest of a backup whose files are what it says. Rejects with BackupProblem, naming the file that is not. */
export async function checkBackup(dir: string, progress: (says: string) => void): Promise<Manifest> {
  const read = await readManifest(dir);
  for (const file of [read.store, read.alerts, read.config]) {
    if (file === undefined) continue;
    progress(`checking ${file.path}`);
    await demandFile(dir, file);
  }
  for (const file of [read.store, read.alerts]) {
    const damage = file && damageOf(join(dir, file.path));
    if (file !== undefined && damage !== undefined) {
      throw new BackupProblem('no', `${join(dir, file.path)} is damaged: ${damage}`, DAMAGED);
    }
  }
  const blobs = folderBlobs(join(dir, 'collector', 'blobs'));
  for (const { year, size, root } of read.logs) {
    if (root === undefined) continue;
    progress(`checking the log of ${year}`);
    const wrong = await wrongTiles(blobs, year, size, root);
    if (wrong !== undefined) throw new BackupProblem('no', `${blobOf(year, '')}${wrong}`, DAMAGED);
  }
  return read;
}
