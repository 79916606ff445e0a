/** `--record FILE`: every observation as one JSON line, written beside the spool and without any of its code. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Observation } from '@highwater/config/domain.ts';

export interface Recorder {
  write(observation: Observation): void;
  close(): void;
}

/** Appends to the file. Throws what the disk says, naming the flag. */
export function openRecorder(path: string, probe: string): Recorder {
  let fd: number;
  try {
    fd = openSync(path, 'a', 0o600);
  } catch (cause) {
    throw new Error(`--record: ${path} cannot be opened for writing`, { cause });
  }
  return {
    write({ monitor, dueAt, outcome, fault, lateMs, recheck }) {
      const id = fault === undefined ? null : `${fault.source}.${fault.operation}.${fault.code}`;
      writeSync(fd, `${JSON.stringify({ monitor, probe, dueAt, outcome, fault: id, lateMs, recheck })}\n`);
    },
    close: () => closeSync(fd),
  };
}
