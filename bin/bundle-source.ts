/** Where a bundle is, as somebody types it: an archive, a folder, or a report at its page. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { archiveFiles } from '@highwater/config/bundle/archive.ts';
import { type BundleFiles, names } from '@highwater/config/bundle/files.ts';
import { openArchiveFile } from './archive-file.ts';
import { bundleFolder } from './bundle-folder.ts';
import { Exit } from './exit.ts';
import { folderFiles } from './folder-files.ts';
import { httpArchive, newestReport, reportPlace } from './http-archive.ts';
import { httpFiles } from './http-files.ts';
import { inflated } from './inflated.ts';
import { callersFile } from './options.ts';
import { plain } from './print.ts';

const READ_BYTES = 1_048_576;

export interface BundleSource {
  readonly files: BundleFiles;
  /** What is read, for people. */
  readonly what: string;
  /** Reads what is left, where that can have anything wrong with it. Rejects with BundleError. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

interface OpenOptions {
  /** A part of it is needed: at a page its files are fetched one by one, in an archive they are read where they lie. */
  readonly isPart: boolean;
  /** Exit codes: what is typed makes no sense; what it means is not to be had. */
  readonly codes: { readonly usage: number; readonly missing: number };
}

/** Throws Exit. */
export async function openBundle(typed: string, { isPart, codes }: OpenOptions): Promise<BundleSource> {
  const place = reportPlace(typed);
  if (place !== undefined) {
    const report = 'report' in place ? place.report : await newestReport(place.site, codes.usage);
    if (isPart) {
      const files = httpFiles(report);
      return { files, what: report, finish: async () => undefined, close: async () => files.close() };
    }
    return archiveSource(await httpArchive(report, codes.missing), `${report}.tar.gz`);
  }
  const path = callersFile(typed);
  const known = await stat(path).catch(() => undefined);
  if (known === undefined) {
    const remedy =
      'write a bundle (.tar.gz or .tar), its unpacked folder, or https://STATUS.PAGE/reports/YYYY-MM';
    throw new Exit(codes.usage, `highwater verify: ${plain(typed)}: there is no such file; ${remedy}`);
  }
  // Only a part: of the whole it matters what the stream gives, every byte of it.
  const files = isPart && known.isFile() ? await openArchiveFile(path) : undefined;
  if (files !== undefined)
    return { files, what: path, finish: async () => undefined, close: () => files.close() };
  if (!known.isDirectory()) return archiveSource(createReadStream(path, { highWaterMark: READ_BYTES }), path);
  const folder = await bundleFolder(path);
  if (folder === undefined) {
    const remedy = `a bundle's folder has a file ${names.range} in it`;
    throw new Exit(codes.usage, `highwater verify: ${plain(typed)}: this folder is no bundle; ${remedy}`);
  }
  return {
    files: folderFiles(folder),
    what: folder,
    finish: async () => undefined,
    close: async () => undefined,
  };
}

async function archiveSource(packed: Readable, what: string): Promise<BundleSource> {
  const files = archiveFiles(await inflated(packed));
  return { files, what, finish: () => files.finish(), close: () => files.close() };
}
