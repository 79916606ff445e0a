/** Where a bundle is, as somebody types it: an archive, a folder, or a report at its page. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { archiveFiles } from '@highwater/config/bundle/archive.ts';
import { type BundleFiles, NoBundle, names, OrderError } from '@highwater/config/bundle/files.ts';
import { openArchiveFile } from './archive-file.ts';
import { bundleFolder } from './bundle-folder.ts';
import { tarOrNot } from './bundle-start.ts';
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
    return archiveSource(await httpArchive(report, codes.missing), `${report}.tar.gz`, codes.usage);
  }
  const path = callersFile(typed);
  const known = await stat(path).catch(() => undefined);
  if (known === undefined) {
    const remedy = looksLikeHost(typed)
      ? `if it is a status page, write https://${typed}`
      : 'write a bundle (.tar.gz or .tar), its unpacked folder, or https://STATUS.PAGE/reports/YYYY-MM';
    throw new Exit(codes.usage, `highwater verify: ${plain(typed)}: there is no such file; ${plain(remedy)}`);
  }
  // Only a part: of the whole it matters what the stream gives, every byte of it.
  const files = isPart && known.isFile() ? await openArchiveFile(path) : undefined;
  if (files !== undefined)
    return { files, what: path, finish: async () => undefined, close: () => files.close() };
  if (!known.isDirectory())
    return archiveSource(createReadStream(path, { highWaterMark: READ_BYTES }), typed, codes.usage);
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

/** `status.example.com`, `status.example.com/reports/2026-10`. */
function looksLikeHost(typed: string): boolean {
  return (
    /^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?(?:\/\S*)?$/i.test(typed) &&
    !/\.(?:tar|tar\.gz|tgz|gz|json|md|csv)$/i.test(typed)
  );
}

/** @param what as it is called */
async function archiveSource(packed: Readable, what: string, usage: number): Promise<BundleSource> {
  const refuse = (says: string) => new Exit(usage, `highwater verify: ${plain(what)}: ${plain(says)}`);
  const tar = await inflated(packed);
  const begun = await tarOrNot(tar);
  if ('begins' in begun) {
    packed.destroy();
    throw refuse(`this is no bundle: ${begun.begins}`);
  }
  const files = archiveFiles(begun.tar);
  /** What can't be read this way at all is no bundle that lacks something. */
  const orRefuse = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof NoBundle)
        throw refuse(`this is no bundle: it is an archive that begins with ${error.file}`);
      if (error instanceof OrderError) throw refuse(`${error.file}: ${error.message}`);
      throw error;
    }
  };
  return {
    files: { read: (name, maxBytes) => orRefuse(files.read(name, maxBytes)) },
    what,
    finish: () => orRefuse(files.finish()),
    close: () => files.close(),
  };
}
