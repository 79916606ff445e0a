/** A bundle's files out of an archive, as it comes: what is asked for is given, what lies before it is passed over. */
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar';
import { BundleError, type BundleFiles, MAX_FILE_BYTES, NoBundle, names, OrderError } from './files.ts';
import { type BundlePlace, comparePlaces, MAX_NAME_CHARS, placeOfName } from './order.ts';

/** Files and folders of an archive: a year of a large house has fewer. */
const MAX_ENTRIES = 1_000_000;
/** Longer names are none of a bundle, whatever folder it lies in. */
const MAX_ENTRY_NAME = 2 * MAX_NAME_CHARS;
const UNPACK = 'unpack it and verify the folder';

export interface ArchiveOptions {
  readonly maxEntries?: number;
}

export interface ArchiveFiles extends BundleFiles {
  /** Reads on to the end: all that lies there has to be of a bundle and in its order. Nothing can be had afterwards. */
  finish(): Promise<void>;
  /** Lets go of the stream. */
  close(): Promise<void>;
}

interface Ahead {
  readonly name: string;
  readonly place: BundlePlace;
  readonly entry: ParsedTarEntry;
}

/**
 * @param tar an inflated tar; its files lie in one folder, or in none, in the order of files.ts, as the collector writes them
 */
export function archiveFiles(
  tar: ReadableStream<Uint8Array<ArrayBuffer>>,
  { maxEntries = MAX_ENTRIES }: ArchiveOptions = {},
): ArchiveFiles {
  const stop = new AbortController();
  const decoder = createTarDecoder({ strict: true });
  const entries = tar.pipeThrough(decoder, { signal: stop.signal }).getReader();
  let seen = 0;
  let folder: string | undefined;
  let last: Ahead | undefined;
  /** The file that was come to and not asked for yet. */
  let ahead: Ahead | undefined;
  let isEnd = false;
  let turn: Promise<unknown> = Promise.resolve();

  const next = async (): Promise<Ahead | undefined> => {
    for (;;) {
      const { value: entry } = await entries.read();
      if (entry === undefined) return undefined;
      seen += 1;
      const { name, size, type } = entry.header;
      const shown = name.slice(0, MAX_ENTRY_NAME);
      if (seen > maxEntries) throw new BundleError(shown, `the archive has over ${maxEntries} files`);
      if (name.length > MAX_ENTRY_NAME)
        throw new BundleError(shown, 'no file of a bundle: its name is longer');
      if (type === 'directory') {
        await passOver(entry);
        continue;
      }
      if (type !== 'file')
        throw new BundleError(shown, `the archive has a ${String(type)} in it, not a file`);
      folder ??= folderOf(name);
      const own = name.startsWith(folder) ? name.slice(folder.length) : name;
      const place = placeOfName(own);
      if (place === undefined) {
        const Kind = last === undefined ? NoBundle : BundleError;
        throw new Kind(shown, 'this is no file of a bundle');
      }
      if (last === undefined && own !== names.range) {
        await passOver(entry);
        throw await otherFirst(own);
      }
      if (size > MAX_FILE_BYTES) throw new BundleError(own, tooLarge(size, MAX_FILE_BYTES));
      checkOrder(last, own, place);
      last = { name: own, place, entry };
      return last;
    }
  };

  /** A bundle that somebody packed again has its first file further behind; one that has it nowhere lacks it. */
  const otherFirst = async (first: string): Promise<BundleError> => {
    for (; seen <= maxEntries; seen += 1) {
      const { value: entry } = await entries.read();
      if (entry === undefined) break;
      if (entry.header.name === `${folder ?? ''}${names.range}`)
        return new OrderError(
          first,
          `the archive begins with this file, and a bundle with ${names.range}: it was packed again in another order; ${UNPACK}`,
        );
      await passOver(entry);
    }
    return new BundleError(names.range, `it is not here; the archive begins with ${first}`);
  };

  /** What went wrong goes wrong again: nobody reads on behind it. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work).catch((error: unknown) => {
      throw error instanceof BundleError
        ? error
        : new BundleError(last?.name ?? 'archive', told(error), { cause: error });
    });
    turn = result;
    result.catch(() => undefined);
    return result;
  };

  const find = async (name: string, maxBytes: number): Promise<Uint8Array | undefined> => {
    const wanted = placeOfName(name);
    if (wanted === undefined) throw new BundleError(name, 'this is no file of a bundle');
    while (!isEnd) {
      ahead ??= await next();
      if (ahead === undefined) {
        isEnd = true;
        break;
      }
      const compared = comparePlaces(ahead.place, wanted);
      if (compared > 0) return undefined;
      const { entry } = ahead;
      ahead = undefined;
      if (compared === 0) return take(name, entry, maxBytes);
      await passOver(entry);
    }
    return undefined;
  };

  return {
    read: (name, maxBytes) => inTurn(() => find(name, maxBytes)),
    finish: () =>
      inTurn(async () => {
        while (!isEnd) {
          ahead ??= await next();
          if (ahead === undefined) isEnd = true;
          else await passOver(ahead.entry);
          ahead = undefined;
        }
      }),
    async close() {
      isEnd = true;
      stop.abort();
      await entries.cancel().catch(() => undefined);
    },
  };
}

/** That of the first file, with its slash: `report-2026-10/`, `./report-2026-10/`, `./`, or none. */
function folderOf(name: string): string {
  const dots = name.startsWith('./') ? './' : '';
  if (placeOfName(name.slice(dots.length)) !== undefined) return dots;
  return name.slice(0, name.indexOf('/', dots.length) + 1);
}

function checkOrder(last: Ahead | undefined, name: string, place: BundlePlace): void {
  if (last === undefined) return;
  const compared = comparePlaces(last.place, place);
  if (compared === 0) throw new BundleError(name, 'the archive has this file twice');
  if (compared > 0) {
    throw new OrderError(
      name,
      `the archive is not in the order in which a bundle is read: this comes behind ${last.name}; ${UNPACK}`,
    );
  }
}

async function take(name: string, { header, body }: ParsedTarEntry, maxBytes: number): Promise<Uint8Array> {
  if (header.size > maxBytes) throw new BundleError(name, tooLarge(header.size, maxBytes));
  const bytes = new Uint8Array(header.size);
  const reader = body.getReader();
  let at = 0;
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined) break;
    bytes.set(value, at);
    at += value.length;
  }
  if (at !== header.size) throw new BundleError(name, 'the archive ends within this file; fetch it again');
  return bytes;
}

/** Read, not cancelled: to cancel a body that lies in memory already takes the next one from whoever reads it. */
async function passOver({ body }: ParsedTarEntry): Promise<void> {
  const reader = body.getReader();
  while (!(await reader.read()).done);
}

function tooLarge(bytes: number, maxBytes: number): string {
  return `it has ${bytes} bytes, and may have ${maxBytes}`;
}

function told(error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  if (why === 'Tar archive is truncated.') return 'the archive ends too early; fetch it again';
  return `the archive can not be read (${why.replace(/\.$/, '')}); fetch it again`;
}
