/**
 * Brings spooled frames and batches to the collector until it has acknowledged them; prove.ts goes on from there. Batches go in
 * order of number; frames in two lanes, so that what happens now is not delayed behind what was missed.
 */
import type { Logger } from 'pino';
import { bodiesOf, parseBatchText } from '@highwater/config/proof/batch.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { MAX_CLOCK_BOUND_MS } from '@highwater/config/proof/rule/none.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { accepted, type Accepted, refused } from '@highwater/config/wire.ts';
import { type CollectorLink, type Reply, retryAfterMs } from './collector-link.ts';
import type { Spool } from './spool.ts';
import type { SpooledBatch, SpooledFrame } from './spool-records.ts';

export interface ShipOptions {
  readonly spool: Spool;
  readonly link: CollectorLink;
  readonly log: Logger;
  /** A batch was acknowledged. */
  batchAcknowledged?(): void;
  /** Told of each acknowledgement's time, for the clock bound. */
  acknowledged(told: { readonly roundTripMs: number; readonly at: number }): void;
  readonly random?: () => number;
  /** The wall clock. */
  readonly now?: () => number;
}

export interface Shipper {
  /** A frame was spooled and synced: send it ahead of older ones. */
  frameReady(): void;
  batchReady(): void;
  /** Resolves when nothing is under way any more; nothing new is sent. */
  stop(): Promise<void>;
}

/** What became of one attempt: gone from the spool, or when to try again. */
type Attempt = { readonly done: true } | { readonly retryMs: number };

const firstRetryMs = 250;
const maxRetryMs = 3_000;
const lockedOutMs = 20_000;
const hopelessMs = 60_000;
const maxHopeless = 5;
/** A batch whose minute comes sooner than this is waited for. */
const maxAheadMs = 300_000;
/** Frames younger than this go ahead of older ones. */
const liveMs = 5_000;
/** At one a second there are no more live ones than this. */
const mostLive = 8;

export function startShipper(options: ShipOptions): Shipper {
  const { spool } = options;
  const sending = new Set<SpooledFrame>();
  const spooledAt = new WeakMap<SpooledFrame, number>();
  const isLive = (frame: SpooledFrame) => performance.now() - (spooledAt.get(frame) ?? -Infinity) < liveMs;
  const free = (frame: SpooledFrame) => !sending.has(frame);
  // What a former process left, or an outage piled up, is not live.
  const newest = () => spool.newestFrames(mostLive).find((frame) => free(frame) && isLive(frame));
  const oldest = () => {
    const frame = spool.oldestFrame;
    return frame && free(frame) && !isLive(frame) ? frame : undefined;
  };
  const frameLane = (pick: () => SpooledFrame | undefined) =>
    lane(options, pick, async (frame) => {
      sending.add(frame);
      try {
        return await sendFrame(options, frame);
      } finally {
        sending.delete(frame);
      }
    });
  const live = frameLane(newest);
  const backlog = frameLane(oldest);
  const hopeless = new Map<string, number>();
  const batches = lane(
    options,
    () => nextBatch(spool),
    async (batch) => {
      const attempt = await sendBatch(options, batch, hopeless);
      if ('done' in attempt) hopeless.delete(nameOf(batch));
      return attempt;
    },
  );
  // What one lane got through tells the others that the collector is there again.
  for (const each of [live, backlog, batches]) {
    each.after(() => {
      for (const other of [live, backlog, batches]) other.wake();
    });
  }
  for (const frame of spool.frames) spooledAt.set(frame, -Infinity);
  for (const each of [live, backlog, batches]) each.poke();
  return {
    frameReady() {
      for (const frame of spool.newestFrames(mostLive)) {
        if (!spooledAt.has(frame)) spooledAt.set(frame, performance.now());
      }
      live.poke();
      backlog.poke();
    },
    batchReady: () => batches.poke(),
    async stop() {
      await Promise.all([live, backlog, batches].map((each) => each.stop()));
    },
  };
}

/**
 * The collector rebuilds bodies from frames: a batch that comes before its frames would be asked for them. Frames and
 * batches are journaled in one order, so where the oldest frame lets the oldest batch wait, all others wait too.
 */
function nextBatch(spool: Spool): SpooledBatch | undefined {
  const batch = spool.oldestBatch;
  const frame = spool.oldestFrame;
  if (!batch || !frame) return batch;
  const [before, after] = [frame.place, batch.place];
  const waits =
    before.segment < after.segment || (before.segment === after.segment && before.offset < after.offset);
  return waits ? undefined : batch;
}

interface Lane {
  poke(): void;
  /** As poke, and ends a wait that nobody asked for. */
  wake(): void;
  after(listener: () => void): void;
  stop(): Promise<void>;
}

/** Sends one thing at a time; after a failure it waits, longer each time, and a poke does not shorten that. */
function lane<T>(
  { log, random = Math.random }: ShipOptions,
  pick: () => T | undefined,
  send: (item: T) => Promise<Attempt>,
): Lane {
  let running: Promise<void> | undefined;
  let stopped = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let asked = false;
  let listener = (): void => undefined;
  const run = async () => {
    for (let item = pick(); item !== undefined && !stopped; item = pick()) {
      const attempt = await send(item);
      if ('retryMs' in attempt) {
        failures += 1;
        const backoff = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(failures, 10));
        const waitMs = Math.max(attempt.retryMs, backoff * (0.5 + random() / 2));
        asked = attempt.retryMs > 0;
        if (!stopped) timer = setTimeout(again, waitMs);
        return;
      }
      failures = 0;
      listener();
    }
  };
  const again = () => {
    timer = undefined;
    poke();
  };
  const poke = () => {
    if (running || timer || stopped) return;
    running = run()
      .catch((thrown: unknown) => log.error({ err: thrown }, 'ship.broke'))
      .finally(() => {
        running = undefined;
        if (!timer && pick() !== undefined && !stopped) timer = setTimeout(again, firstRetryMs);
      });
  };
  return {
    poke,
    wake() {
      if (timer && !asked) {
        clearTimeout(timer);
        timer = undefined;
      }
      poke();
    },
    after: (heard) => (listener = heard),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

async function sendFrame(options: ShipOptions, frame: SpooledFrame): Promise<Attempt> {
  const { spool, log } = options;
  const { note, details } = spool.frameOf(frame);
  const [type, body] = details
    ? ['application/json', JSON.stringify({ note, details })]
    : ['text/plain; charset=utf-8', note];
  const reply = await posted(options, '/v1/frames', type ?? '', body ?? '');
  if ('retryMs' in reply) return reply;
  const about = { epoch: frame.epoch, frame: frame.frame, status: reply.status };
  if (reply.status === 200) {
    heard(options, reply);
    spool.acknowledgeFrame(frame);
    return { done: true };
  }
  if (reply.status === 409)
    return conflict(options, `frame-${frame.epoch}-${frame.frame}`, note, frame.epoch === spool.epoch, reply);
  if ([400, 413, 415, 422].includes(reply.status)) {
    // Its lines still come with their batch; a frame is only for the live verdict.
    log.error({ ...about, because: reasonOf(reply) }, 'frame.refused');
    spool.acknowledgeFrame(frame);
    return { done: true };
  }
  return later(options, reply, about);
}

async function sendBatch(
  options: ShipOptions,
  batch: SpooledBatch,
  hopeless: Map<string, number>,
): Promise<Attempt> {
  const { spool, log } = options;
  const note = spool.noteOf(batch);
  let reply = await posted(options, '/v1/batches', 'text/plain; charset=utf-8', note);
  if ('retryMs' in reply) return reply;
  if (reply.status === 428) {
    const bodies = askedFor(spool, batch, reply);
    reply = await posted(options, '/v1/batches', 'application/json', JSON.stringify({ note, bodies }));
    if ('retryMs' in reply) return reply;
  }
  const about = { epoch: batch.epoch, number: batch.number, status: reply.status };
  if (reply.status === 200) {
    heard(options, reply);
    spool.acknowledgeBatch(batch);
    options.batchAcknowledged?.();
    return { done: true };
  }
  if (reply.status === 409)
    return conflict(options, `batch-${batch.epoch}-${batch.number}`, note, spool.isSpooled(batch), reply);
  if (reply.status === 422 && isOfWrongClock(note, reply, (options.now ?? Date.now)())) {
    log.error({ ...about, because: reasonOf(reply) }, 'batch.given-up');
    spool.giveUp(batch);
    return { done: true };
  }
  if ([400, 413, 415, 428].includes(reply.status)) {
    const tries = (hopeless.get(nameOf(batch)) ?? 0) + 1;
    hopeless.set(nameOf(batch), tries);
    log.error({ ...about, tries, because: reasonOf(reply) }, 'batch.refused');
    if (tries < maxHopeless) return { retryMs: hopelessMs };
    spool.giveUp(batch);
    return { done: true };
  }
  return later(options, reply, about);
}

/**
 * Refused as ahead, and by so much that all that comes after it would wait for hours or years. It is let go, as a
 * recorded gap, where it counts for nothing anyway: its clock bound says so, or its minute has not come by this clock
 * either. Else it may be the collector's clock that is behind, and what was seen is kept until that is right.
 */
function isOfWrongClock(note: string, reply: Reply, now: number): boolean {
  const parsed = refused.safeParse(parseJson(reply.text));
  const opened = parseNote(note);
  const batch = 'error' in opened ? opened : parseBatchText(opened.text);
  if (!parsed.success || 'error' in batch) return false;
  const comesAt = batch.minutes.last * MINUTE_MS;
  if (comesAt - parsed.data.at <= maxAheadMs) return false;
  const { boundMs } = batch.clock;
  return boundMs < 0 || boundMs > MAX_CLOCK_BOUND_MS || comesAt - now > maxAheadMs;
}

/** The bodies that the collector could not rebuild; all of them when it does not say which. */
function askedFor(spool: Spool, batch: SpooledBatch, reply: Reply): Record<string, string> {
  const bodies = bodiesOf(spool.linesOf(batch).map((line) => line.text));
  const parsed = refused.safeParse(parseJson(reply.text));
  const wanted = parsed.success ? parsed.data.services : undefined;
  return Object.fromEntries([...bodies].filter(([service]) => wanted?.includes(service) ?? true));
}

async function posted(
  options: ShipOptions,
  path: string,
  type: string,
  body: string,
): Promise<Reply | { retryMs: number }> {
  try {
    return await options.link.post(path, type, body);
  } catch (thrown) {
    options.log.debug(
      { path, because: thrown instanceof Error ? thrown.message : String(thrown) },
      'post.failed',
    );
    return { retryMs: 0 };
  }
}

/** Another text is held under this number: another machine uses the key, or this disk went back in time. */
function conflict(
  { spool, log }: ShipOptions,
  name: string,
  note: string,
  isWaiting: boolean,
  reply: Reply,
): Attempt {
  log.error({ name, because: reasonOf(reply), keptIn: 'conflicts' }, 'number.conflict');
  // Another lane may have begun the new epoch already, and what waited is in that.
  if (isWaiting) spool.startNewEpoch({ name: `${name}.note`, note });
  return { done: true };
}

function later({ log }: ShipOptions, reply: Reply, about: object): Attempt {
  const locked = reply.status === 401 || reply.status === 403;
  const level = locked ? 'error' : 'warn';
  log[level]({ ...about, because: reasonOf(reply) }, locked ? 'collector.locked-out' : 'collector.busy');
  return { retryMs: Math.max(retryAfterMs(reply), locked ? lockedOutMs : 0) };
}

function heard(options: ShipOptions, reply: Reply): void {
  const parsed = accepted.safeParse(parseJson(reply.text));
  const answer: Accepted | undefined = parsed.success ? parsed.data : undefined;
  if (answer) options.acknowledged({ roundTripMs: reply.roundTripMs, at: answer.at });
}

function reasonOf(reply: Reply): string {
  const parsed = refused.safeParse(parseJson(reply.text));
  if (!parsed.success) return reply.text.slice(0, 200);
  return parsed.data.remedy === undefined ? parsed.data.error : `${parsed.data.error}; ${parsed.data.remedy}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function nameOf(batch: SpooledBatch): string {
  return `${batch.epoch}/${batch.number}`;
}
