/**
 * Asks the collector to prove that the log holds what it has acknowledged, and lets only that go. The checkpoint under
 * which it is proven is kept first: whatever the log shows later has to continue it. A log that does not is told
 * loudly, nothing is deleted, and what is seen is still sent.
 */
import type { Logger } from 'pino';
import { decodeBase64, encodeHex } from '@highwater/config/proof/bytes.ts';
import type { Instant } from '@highwater/config/time.ts';
import { logProofs, maxProofs } from '@highwater/config/wire.ts';
import { type CollectorLink, type Reply, retryAfterMs } from './collector-link.ts';
import { checkProofs, type Wrong } from './prove-check.ts';
import type { CheckpointMemory } from './prove-memory.ts';
import { type Asker, signedHeaders } from './signed-request.ts';
import type { Spool } from './spool.ts';
import type { SpooledBatch } from './spool-records.ts';

export interface ProveOptions {
  readonly spool: Spool;
  readonly link: CollectorLink;
  readonly memory: CheckpointMemory;
  readonly asker: Asker;
  readonly log: Logger;
  /** Origin without the year and the keys of the logs, as the operator signed them; undefined before an assignment. */
  logs(): { readonly origin: string; readonly logKeys: readonly string[] } | undefined;
  readonly monotonic: () => number;
  /** Batches are to be sent again. */
  takenBack(): void;
  readonly random?: () => number;
  /** The first pause, which doubles while the log stands still, ms. */
  readonly firstMs?: number;
}

/** The log is not what it was. */
export interface LogRefused {
  readonly since: Instant;
  readonly because: string;
}

export interface Prover {
  readonly refused: LogRefused | undefined;
  /** Something was acknowledged. */
  poke(): void;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

const timeoutMs = 20_000;
/** Twenty proofs of a log of 2^40 entries have 40 KB; what is larger is not read. */
export const maxAnswerBytes = 262_144;
/** A merge takes a few seconds: sooner, most questions would be for nothing. */
const usualFirstMs = 5_000;
/** Longest pause while the log stands still or cannot be asked. */
const maxMs = 60_000;
/** Between questions that each have an answer, so that an outage's worth of batches is no burst. */
const drainMs = 250;
const takenBackMs = 1_000;
const tellAgainMs = 3_600_000;

/** What one question came to: how long to wait at least; `moved` when the next one is worth asking soon. */
interface Outcome {
  readonly moved: boolean;
  readonly waitMs: number;
}

const stoodStill: Outcome = { moved: false, waitMs: 0 };

export function startProver(options: ProveOptions): Prover {
  const { spool, log, random = Math.random, firstMs = usualFirstMs } = options;
  const ending = new AbortController();
  const teller = tellOfLog(options);
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** Questions in a row that changed nothing. */
  let still = 0;

  const plan = (atLeastMs: number) => {
    if (ending.signal.aborted || timer || running || spool.unprovenCount === 0) return;
    const backoff =
      still === 0 ? 0 : Math.min(maxMs, firstMs * 2 ** Math.min(still, 10)) * (0.5 + random() / 2);
    timer = setTimeout(run, Math.max(atLeastMs, backoff));
  };
  const run = () => {
    timer = undefined;
    running = ask(options, teller, ending.signal)
      .catch((thrown: unknown) => {
        // A full disk, mostly: nothing was deleted, and it is asked again.
        log.error({ err: thrown }, 'prove.broke');
        return stoodStill;
      })
      .then(({ moved, waitMs }) => {
        still = moved ? 0 : still + 1;
        running = undefined;
        plan(waitMs);
      });
  };
  const poke = () => plan(firstMs * (0.5 + random() / 2));
  poke();
  return {
    get refused() {
      return teller.refused;
    },
    poke,
    async stop() {
      ending.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

async function ask(options: ProveOptions, teller: Teller, signal: AbortSignal): Promise<Outcome> {
  const { spool, link, memory, asker, log } = options;
  const logs = options.logs();
  const batches = new Map(
    spool
      .unproven(maxProofs)
      .map(({ batch, leaf }) => [encodeHex(decodeBase64(leaf) ?? new Uint8Array()), batch]),
  );
  if (!logs || batches.size === 0) return stoodStill;
  const { seen } = memory;
  const from = seen ? `&from=${seen.year}/${seen.size}` : '';
  const target = `/v1/proofs?${[...batches.keys()].map((leaf) => `leaf=${leaf}`).join('&')}${from}`;
  let reply: Reply;
  try {
    const headers = signedHeaders(asker, logs.origin, target);
    reply = await link.get(target, headers, timeoutMs, signal, maxAnswerBytes);
  } catch (thrown) {
    log.debug({ because: thrown instanceof Error ? thrown.message : String(thrown) }, 'proofs.unreachable');
    return stoodStill;
  }
  if (reply.status !== 200) {
    log.warn({ status: reply.status, because: reply.text.slice(0, 300) }, 'proofs.refused');
    return { moved: false, waitMs: retryAfterMs(reply) };
  }
  const parsed = logProofs.safeParse(parseJson(reply.text));
  if (!parsed.success) {
    teller.wrong({
      kind: 'form',
      because: `the answer has another form: ${parsed.error.issues[0]?.path.join('.') ?? ''}`,
    });
    return stoodStill;
  }
  const of = (leaves: Iterable<string>): SpooledBatch[] =>
    [...leaves].flatMap((leaf) => batches.get(leaf) ?? []);
  const checked = checkProofs(parsed.data, { ...logs, seen, leaves: new Set(batches.keys()) });
  if ('wrong' in checked) teller.wrong(checked.wrong);
  else teller.well();
  const proven = 'wrong' in checked ? [] : of(checked.proven);
  if ('checkpoint' in checked && checked.checkpoint && checked.checkpoint.note !== seen?.note) {
    memory.keep(checked.checkpoint);
  }
  if (proven.length > 0) spool.proven(proven);
  // Also of a log that is not the one that was seen: who lost them gets them again.
  const isAnswer = !('wrong' in checked) || checked.wrong.kind !== 'form';
  const lost = isAnswer ? of(new Set(parsed.data.unknown)) : [];
  if (lost.length > 0) {
    log.warn({ batches: lost.length }, 'collector.lost-batches');
    spool.takeBack(lost);
    options.takenBack();
    return { moved: true, waitMs: takenBackMs };
  }
  return proven.length > 0 ? { moved: true, waitMs: drainMs } : stoodStill;
}

interface Teller {
  readonly refused: LogRefused | undefined;
  wrong(found: Wrong): void;
  well(): void;
}

/** Once for each state, and again each hour that it lasts. */
function tellOfLog({ log, memory, asker, monotonic }: ProveOptions): Teller {
  const remedy =
    'nothing is deleted here, and what is seen is still sent; where the collector was restored, bring back its newest ' +
    `backup with highwater restore; where that history is lost for good, stop the probe, move ${memory.file} away, and start it`;
  if (memory.damaged) log.error({ keptIn: `${memory.file}.damaged` }, 'checkpoint.damaged');
  let told: { readonly kind: Wrong['kind']; readonly at: number } | undefined;
  let refused: LogRefused | undefined;
  return {
    get refused() {
      return refused;
    },
    wrong({ kind, because }) {
      if (kind !== 'form') refused = { since: refused?.since ?? asker.now(), because };
      if (told?.kind === kind && monotonic() - told.at < tellAgainMs) return;
      told = { kind, at: monotonic() };
      if (kind === 'form') log.error({ because }, 'proofs.malformed');
      else log.error({ because, remedy }, 'log.refused');
    },
    well() {
      if (refused) log.info({ since: refused.since }, 'log.consistent-again');
      told = undefined;
      refused = undefined;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
