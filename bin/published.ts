/** What was published of a log, asked for over HTTP: of the page, or of whoever keeps a copy of its folder. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BackupProblem } from '../collector/src/backup/problem.ts';
import type { Published } from '../collector/src/backup/published.ts';
import { Exit, exitCode } from './exit.ts';

const DEADLINE_MS = 10_000;
const ATTEMPTS = 3;
const PAUSE_MS = 500;

/** @param base URL below which `YEAR/checkpoint` lies. Throws Exit (2) when it is none. */
export function publishedAt(base: string): Published {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Exit(
      exitCode.usage,
      'highwater: restore: --published: not an http or https URL, write one such as https://status.example.com/log, or none',
    );
  }
  const root = base.replace(/\/+$/, '');
  const ages = new Map<string, number>();
  return {
    base: root,
    ageS: (path) => ages.get(path),
    async get(path, maxBytes) {
      const asked = `${root}/${path}`;
      for (let attempt = 1; ; attempt += 1) {
        try {
          const answer = await fetch(asked, {
            // Whoever it leads to is not whom the operator has named.
            redirect: 'manual',
            // An old checkpoint from a cache would fork the log.
            headers: { 'cache-control': 'no-cache', pragma: 'no-cache' },
            signal: AbortSignal.timeout(DEADLINE_MS),
          });
          if (answer.status >= 300 && answer.status < 400) throw await redirected(asked, answer);
          const age = answer.headers.get('age') ?? '';
          if (/^[0-9]{1,9}$/.test(age) && path.endsWith('/checkpoint')) ages.set(path, Number(age));
          if (answer.status === 404 || answer.status === 410) {
            await answer.body?.cancel();
            return undefined;
          }
          if (!answer.ok) {
            await answer.body?.cancel();
            throw new Error(`it answers ${answer.status}`);
          }
          return await bounded(answer, maxBytes);
        } catch (cause) {
          if (cause instanceof BackupProblem) throw cause;
          if (attempt < ATTEMPTS) {
            await sleep(PAUSE_MS * attempt);
            continue;
          }
          throw new BackupProblem(
            'no',
            `${asked} can not be read (${reasonOf(cause)})`,
            'name where the log is published with --published URL, the part before /YEAR/checkpoint. Only where nobody can have seen a checkpoint newer than the backup: --published none',
            { cause },
          );
        }
      }
    },
  };
}

async function redirected(asked: string, answer: Response): Promise<BackupProblem> {
  await answer.body?.cancel();
  // A stranger's words must not steer the terminal.
  const to = (answer.headers.get('location') ?? 'nowhere').replace(/[^\u0021-\u007e]/g, '?').slice(0, 300);
  return new BackupProblem(
    'no',
    `${asked} leads elsewhere (${answer.status}, to ${to}), which is not followed`,
    'if the log is published there, name that address with --published URL, the part before /YEAR/checkpoint',
  );
}

async function bounded(answer: Response, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > maxBytes) throw new Error(`it has over ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  const inner = cause.cause;
  return inner instanceof Error && 'code' in inner ? String(inner.code) : cause.message;
}
