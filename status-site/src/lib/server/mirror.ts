/**
 * The site's own copy of the log: it follows the collector's, proves all of it before it keeps it, and serves what it has
 * with the collector dead. What it has once taken it never gives up for anything else, so a log that forks or
 * shrinks is seen here by whoever compares, and told loudly.
 *
 * On disk: entries and tiles as large as the log itself (some 700 bytes an entry), bodies up to `maxBodyBytes` of all
 * years together, the newest; all of it only while half a gibibyte stays free. In memory: a bundle (200 KiB, 16 MiB at
 * most) and its tiles at a time, 64 KiB for each of four bodies.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { decodeUtf8 } from '@highwater/config/proof/bytes.ts';
import { MAX_POLICY_CHARS, parsePolicy } from '@highwater/config/proof/policy.ts';
import type { Logger } from 'pino';
import type { FrameLog } from '../frame.ts';
import { type Bodies, type BodyLimit, openBodies } from './mirror-bodies.ts';
import { type Files, filesIn, NoRoom } from './mirror-files.ts';
import { sourceOf, Unanswered } from './mirror-source.ts';
import { Unproven } from './mirror-tree.ts';
import { openVouched } from './mirror-vouched.ts';
import { Contradiction, openYear, type YearLog } from './mirror-year.ts';

export interface MirrorOptions {
  readonly collectorUrl: string;
  readonly token?: string;
  readonly dataDir: string;
  readonly log: Logger;
  /** Between two looks at the newest log; default 2,000. Keys, policy and older years are looked at every tenth time. */
  readonly mirrorEveryMs?: number;
  /** Of all bodies; default 8 GiB. */
  readonly maxBodyBytes?: number;
  /** For one answer; default 10,000. */
  readonly deadlineMs?: number;
}

/** Why what the collector shows was not taken. */
export interface Refused {
  readonly since: number;
  readonly because: string;
}

export interface MirrorYear extends YearLog {
  readonly bodies: Bodies;
  /** While what the collector shows contradicts what is held. */
  refused(): Refused | undefined;
}

export interface Mirror {
  /** Years that have a log here, oldest first. */
  years(): readonly MirrorYear[];
  /** Verifier key of who signs the leaves; undefined until it was seen. */
  operatorKey(): string | undefined;
  policy(): Promise<Uint8Array | undefined>;
  /** What the page shows of the newest log. */
  shown(): FrameLog | undefined;
  /** A body was found damaged: it is fetched again. */
  lost(year: MirrorYear): Promise<void>;
  /** Resolves when following has ended. Never rejects. */
  readonly stopped: Promise<void>;
}

const EVERY_MS = 2_000;
const SLOWEST_MS = 4_000;
const RARELY = 10;
const MAX_KEYS_BYTES = 65_536;
/** Nobody can fill the disk with years. */
const MAX_YEARS = 64;
const MAX_BODIES_BYTES = 8 * 1_073_741_824;
/** After a pass over the bodies in which some failed. */
const BODIES_AGAIN_MS = 30_000;
/** Contradicting notes that are kept as evidence. */
const MAX_EVIDENCE = 16;

/** Opens what is kept, then follows until the signal is aborted. Throws when its folder can't be used. */
export async function openMirror(options: MirrorOptions, signal: AbortSignal): Promise<Mirror> {
  const { log, maxBodyBytes = MAX_BODIES_BYTES } = options;
  const everyMs = options.mirrorEveryMs ?? EVERY_MS;
  const root = filesIn(join(options.dataDir, 'site', 'log'));
  await root.write('.opened', '');
  const source = sourceOf(options, signal);
  const years = new Map<number, MirrorYear>();
  const refusals = new Map<string, Refused>();
  let operatorKey = await textOf(root, 'operator');
  let policy = await root.read('policy');
  const vouched = openVouched();
  for (const name of await root.list('.')) if (/^[1-9][0-9]{3}$/.test(name)) await open(Number(name));

  async function open(year: number): Promise<void> {
    const files = filesIn(join(root.dir, String(year)));
    const key = await textOf(files, 'key');
    if (key === undefined) return;
    try {
      const opened = await openYear(year, key, files);
      const bodies = await openBodies(opened, log);
      years.set(year, {
        ...opened,
        bodies,
        refused: () => refusals.get(String(year)) ?? refusals.get('keys'),
      });
    } catch (error) {
      log.error(
        { event: 'mirror.unreadable', year, error: String(error) },
        'the key of a kept log is not readable',
      );
    }
  }

  const sorted = (): MirrorYear[] => [...years.values()].sort((a, b) => a.year - b.year);

  /** Tells a contradiction once, and that it is over. */
  async function told(what: string, files: Files, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      if (refusals.delete(what)) log.info({ event: 'mirror.agrees', log: what }, 'the log agrees again');
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      if (refusals.get(what)?.because !== error.message) {
        log.error(
          { event: 'mirror.refused', log: what, because: error.message },
          'the collector shows another log than this page holds; it was not taken',
        );
      }
      refusals.set(what, { since: refusals.get(what)?.since ?? Date.now(), because: error.message });
      await keepEvidence(files, error.evidence);
    }
  }

  async function keepEvidence(files: Files, note: string | undefined): Promise<void> {
    if (note === undefined) return;
    const name = Buffer.from(sha256(Buffer.from(note)))
      .toString('hex')
      .slice(0, 16);
    const kept = await files.list('refused');
    if (kept.length < MAX_EVIDENCE && !kept.includes(name)) await files.write(`refused/${name}`, note);
  }

  async function lookAtKeys(): Promise<void> {
    const bytes = await source.get('/log/keys', MAX_KEYS_BYTES);
    const lines = (bytes === undefined ? '' : (decodeUtf8(bytes) ?? '')).split('\n').filter(Boolean);
    const operator = lines.find((line) => line.startsWith('operator '))?.slice('operator '.length);
    if (operator === undefined) return;
    const origin = nameOf(operator);
    if (operatorKey === undefined) {
      await root.write('operator', `${operator}\n`);
      operatorKey = operator;
    }
    if (operator !== operatorKey)
      throw new Contradiction(`its operator's key is another one: ${operator.slice(0, 300)}`);
    for (const line of lines) {
      const key = line.startsWith('log ') ? line.slice('log '.length) : undefined;
      if (key === undefined) continue;
      const year = Number(/\/([1-9][0-9]{3})$/.exec(nameOf(key))?.[1]);
      if (nameOf(key) !== `${origin}/${year}`) throw new Contradiction(`a key is of no log of ${origin}`);
      const known = years.get(year);
      if (known === undefined && years.size < MAX_YEARS) {
        await filesIn(join(root.dir, String(year))).write('key', `${key}\n`);
        await open(year);
      } else if (known !== undefined && known.key !== key) {
        throw new Contradiction(`the key of the log of ${year} is another one: ${key.slice(0, 300)}`);
      }
    }
  }

  async function lookAtPolicy(): Promise<void> {
    const bytes = await source.get('/log/policy', MAX_POLICY_CHARS);
    const text = bytes === undefined ? undefined : decodeUtf8(bytes);
    const parsed = text === undefined ? undefined : parsePolicy(text, sha256);
    if (text === undefined || parsed === undefined || 'error' in parsed) return;
    const mine = new Set(sorted().map(({ key }) => key));
    if (!parsed.logs.every(({ vkey }) => mine.has(vkey))) return;
    if (Buffer.from(policy ?? []).toString() === text) return;
    await root.write('policy', text);
    policy = Buffer.from(text);
  }

  async function look(isRare: boolean): Promise<void> {
    if (isRare || years.size === 0) {
      await told('keys', root, lookAtKeys);
      await lookAtPolicy();
    }
    const all = sorted();
    for (const year of isRare ? all : all.slice(-1)) {
      await told(String(year.year), year.files, () => year.look(source));
    }
  }

  async function followLog(): Promise<void> {
    let waitMs = everyMs;
    let said = '';
    for (let round = 0; !signal.aborted; round += 1) {
      try {
        await look(round % RARELY === 0);
        waitMs = everyMs;
        said = '';
      } catch (error) {
        if (signal.aborted) return;
        // That the collector is gone is said by who follows its snapshot.
        const because = reason(error);
        if (!(error instanceof Unanswered) && because !== said)
          log.error({ event: 'mirror.failed', because }, 'the log could not be taken over');
        said = because;
        waitMs = Math.min(Math.max(everyMs, SLOWEST_MS), waitMs * 2);
      }
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async function mendAll(mended: Set<number>): Promise<void> {
    for (const year of sorted()) {
      if (mended.has(year.year) || year.held() === undefined) continue;
      await year.mend(source);
      mended.add(year.year);
    }
  }

  let againAt = 0;
  const limit: BodyLimit = {
    maxBytes: maxBodyBytes,
    fits: (bytes) => sorted().reduce((all, year) => all + year.bodies.bytes(), bytes) <= maxBodyBytes,
  };

  async function fetchBodies(): Promise<void> {
    let wanted: number | undefined;
    for (const year of sorted().reverse()) wanted ??= await year.bodies.fetch(source, limit, signal);
    for (const year of sorted()) {
      while (!limit.fits(wanted ?? 0) && (await year.bodies.dropOldest())) {
        // What did not fit comes at once. That ends, since what was let go never comes again.
        againAt = 0;
      }
    }
  }

  async function followBodies(): Promise<void> {
    // What was taken by this process was checked then; what was here before is looked through once.
    const mended = new Set<number>();
    const before = new Set(
      sorted()
        .filter((year) => year.held() !== undefined)
        .map(({ year }) => year),
    );
    let said = '';
    let seen = '';
    while (!signal.aborted) {
      try {
        for (const { year } of sorted()) if (!before.has(year)) mended.add(year);
        await mendAll(mended);
        const now = sorted()
          .map((year) => `${year.year} ${year.held()?.size ?? 0}`)
          .join();
        if (now !== seen || Date.now() >= againAt) {
          seen = now;
          againAt = Date.now() + BODIES_AGAIN_MS;
          await fetchBodies();
        }
        said = '';
      } catch (error) {
        if (signal.aborted) return;
        const because = reason(error);
        const isExpected =
          error instanceof Unanswered || error instanceof NoRoom || error instanceof Unproven;
        if (because !== said && !(error instanceof Unanswered))
          log[isExpected ? 'warn' : 'error'](
            { event: 'mirror.bodies.failed', because },
            'the mirror is not whole',
          );
        said = because;
      }
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    years: () => sorted().filter((year) => year.held() !== undefined),
    operatorKey: () => operatorKey,
    policy: async () => policy,
    shown() {
      const newest = sorted().findLast((year) => year.held() !== undefined);
      const held = newest?.held();
      if (newest === undefined || held === undefined) return undefined;
      const refused = newest.refused();
      const by = vouched(held.note, policy);
      return {
        origin: nameOf(newest.key),
        year: newest.year,
        key: newest.key,
        size: held.size,
        checkedAt: held.at,
        ...(refused === undefined ? {} : { refused }),
        ...(by === undefined ? {} : { vouched: by }),
      };
    },
    async lost(year) {
      await year.bodies.lost();
      againAt = 0;
    },
    stopped: Promise.all([followLog(), followBodies()]).then(() => undefined),
  };
}

/** A file's one line; undefined when there is none. */
async function textOf(files: Files, path: string): Promise<string | undefined> {
  const text = Buffer.from((await files.read(path)) ?? [])
    .toString()
    .trim();
  return text === '' ? undefined : text;
}

/** The name in a verifier key. Throws Contradiction for what is none. */
function nameOf(key: string): string {
  try {
    return parseVerifier(key).name;
  } catch {
    throw new Contradiction(`${key.slice(0, 300)} is no verifier key`);
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
