/** What a probe wrote with `--record`, as it grows: lateness, what was missed, and how many were asked when. */
import { closeSync, openSync, readSync } from 'node:fs';
import { median } from './bench.ts';

export interface Ran {
  readonly dueAt: number;
  readonly outcome: string;
  readonly fault: string | null;
  readonly lateMs: number;
  readonly recheck: boolean;
}

export interface Record {
  readonly ran: readonly Ran[];
  /** Takes in what was written since. */
  read(): void;
  readonly close: () => void;
}

export function followRecord(file: string): Record {
  const fd = openSync(file, 'a+');
  const ran: Ran[] = [];
  const chunk = Buffer.alloc(1 << 20);
  let place = 0;
  let rest = '';
  return {
    ran,
    read() {
      for (let bytes = readSync(fd, chunk, 0, chunk.length, place); bytes > 0;) {
        place += bytes;
        const lines = (rest + chunk.toString('latin1', 0, bytes)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const { dueAt, outcome, fault, lateMs, recheck } = JSON.parse(line) as Ran;
          ran.push({ dueAt, outcome, fault, lateMs, recheck });
        }
        bytes = readSync(fd, chunk, 0, chunk.length, place);
      }
    },
    close: () => closeSync(fd),
  };
}

/** A due time that the schedule let go by. */
export function isMissed({ outcome, fault }: Ran): boolean {
  return outcome === 'skipped' && (fault ?? '').startsWith('probe.');
}

/** When it was asked, Unix ms. */
export function askedAt({ dueAt, lateMs }: Ran): number {
  return dueAt + lateMs;
}

export interface Lateness {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Of scheduled checks that were made. */
export function latenessOf(ran: readonly Ran[]): Lateness {
  const late = ran.filter((each) => !each.recheck && !isMissed(each)).map(({ lateMs }) => lateMs);
  late.sort((a, b) => a - b);
  return {
    p50Ms: median(late),
    p99Ms: late[Math.floor(late.length * 0.99)] ?? Number.NaN,
    maxMs: late.at(-1) ?? Number.NaN,
  };
}

/** The most that were asked in any ten seconds of a span, in steps of a second. */
export function mostInTenSeconds(ran: readonly Ran[], from: number, to: number): number {
  const perSecond = new Array<number>(Math.floor((to - from) / 1_000)).fill(0);
  for (const each of ran) {
    const second = Math.floor((askedAt(each) - from) / 1_000);
    if (!isMissed(each) && perSecond[second] !== undefined) perSecond[second] += 1;
  }
  let most = 0;
  for (let at = 0; at + 10 <= perSecond.length; at += 1) {
    const sum = perSecond.slice(at, at + 10).reduce((total, count) => total + count, 0);
    most = Math.max(most, sum);
  }
  return most;
}
