/** Files that outlive the collector and this process. */
import { rename, writeFile } from 'node:fs/promises';

/** Whole or not at all: a reader never sees half a file, and a crash leaves the one before. */
export async function keepFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.tmp`, text, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}
