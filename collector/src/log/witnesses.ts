/**
 * The witnesses of the config, asked beside the merge: each has a loop of its own, with one request under way at most,
 * so that one that is down or slow delays neither the log nor another witness. What is asked when is decided in
 * witness-plan.ts; what a witness has cosigned is a row of LOG_SHARD (core `witness`, key `YEAR VKEY`), written once
 * its cosignature was checked. Without the row nothing is lost: the witness says what it has (409).
 */
import { type WitnessVerifier, parseWitnessVerifier } from '@highwater/config/keys.ts';
import type { Config, WitnessDecl } from '@highwater/config/model.ts';
import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import type { Alarm, LogStatus } from '@highwater/config/wire.ts';
import type { Logger } from 'pino';
import { type Bell, bell } from '../bell.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import type { Log } from './log.ts';
import { readAnswer } from './witness-answer.ts';
import { type AskWitness, askWitness } from './witness-ask.ts';
import {
  type Question,
  type WitnessAction,
  type WitnessAnswer,
  type WitnessEvent,
  type WitnessPlan,
  decideWitness,
  startPlan,
  wakeAt,
} from './witness-plan.ts';
import { type Published, readPublished, requestBody } from './witness-proof.ts';
import { quorumGraceMs, quorumSize } from './witness-quorum.ts';

/** The log of this year, and the last checkpoint of the one before while a witness lacks it. */
const YEARS = 2;
/** How long a loop sleeps when nothing is due and nothing rings, ms. */
const IDLE_MS = 60_000;

/** What is counted of a witness. */
export const witnessErrors = ['failed', 'bad-cosignature', 'ahead', 'absurd', 'forked'] as const;
export type WitnessError = (typeof witnessErrors)[number];

export interface WitnessFigures {
  readonly id: string;
  /** Of the newest log. */
  readonly size: number;
  readonly cosignedAt?: Instant;
}

export interface Witnesses {
  /** A checkpoint was published: call after each. */
  published(): void;
  /** One loop a witness, by name; a turn waits when there is nothing to do. */
  readonly turns: Readonly<Record<string, () => Promise<void>>>;
  /** Each witness was asked once about each checkpoint that was there at the start, or is not there to answer. */
  readonly heard: Promise<void>;
  status(): Pick<LogStatus, 'witnesses' | 'quorum'>;
  figures(): readonly WitnessFigures[];
}

export interface WitnessParts {
  /** None: nobody is asked. */
  readonly config: Pick<Config, 'witnesses'>;
  readonly log: Pick<Log, 'ahead' | 'checkpoint' | 'level' | 'cosigned' | 'tile' | 'years'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** A person has to look; once for each reason. */
  readonly alarm: (alarm: Alarm) => void;
  readonly cleared: (key: string) => void;
  readonly count: (witness: string, error: WitnessError) => void;
  /** Those of the network and of chance unless a test sets them. */
  readonly ask?: AskWitness;
  readonly random?: () => number;
}

export async function openWitnesses(parts: WitnessParts): Promise<Witnesses> {
  const { config, clock } = parts;
  const { list, quorum } = config.witnesses ?? { list: [], quorum: 0 };
  if (list.length === 0) parts.logger.info({ means: noWitnesses }, 'log-without-witnesses');
  const rung = bell();
  const rows = await parts.store.read(LOG_SHARD, (tx) => tx.listState('witness'));
  const kept = new Map(rows.map(({ key, value }) => [key, value as Cosigned]));
  const witnesses = list.map((witness) => new Witness(witness, kept, rung, parts));
  const newest = (): number => parts.log.years.at(-1)?.year ?? 0;
  let behindSince: Instant | undefined;

  const quorumHolds = (): boolean => {
    const plans = witnesses.map((witness) => witness.plan(newest()));
    const published = Math.max(0, ...plans.map((plan) => plan.published));
    const size = quorumSize(
      plans.map(({ cosigned }) => cosigned),
      quorum,
    );
    if (size >= published) behindSince = undefined;
    else behindSince ??= clock.now();
    if (behindSince === undefined) return true;
    return size > 0 && clock.now() - behindSince <= quorumGraceMs(list);
  };

  return {
    published: () => rung.ring(),
    turns: Object.fromEntries(
      witnesses.map((witness) => [
        `witness ${witness.id}`,
        async () => {
          await witness.turn();
          quorumHolds();
        },
      ]),
    ),
    heard: Promise.all(witnesses.map(({ heard }) => heard)).then(() => undefined),
    status: () => ({
      witnesses: witnesses.map((witness) => witness.status(newest())),
      ...(list.length === 0 ? {} : { quorum: quorumHolds() }),
    }),
    figures: () => witnesses.map((witness) => witness.figures(newest())),
  };
}

/** The row: what a witness cosigned last of a year. */
interface Cosigned {
  readonly size: number;
  readonly at: Instant;
}

class Witness {
  readonly #witness: WitnessDecl;
  readonly #verifier: WitnessVerifier;
  readonly #parts: WitnessParts;
  readonly #bell: Bell;
  readonly #kept: ReadonlyMap<string, Cosigned>;
  /** By year. */
  readonly #plans = new Map<number, WitnessPlan>();
  /** What was last said of it, so that a witness that stays down is one line in the log and not one a minute. */
  #told: string | undefined;
  readonly heard: Promise<void>;
  #hear: () => void = () => undefined;

  constructor(witness: WitnessDecl, kept: ReadonlyMap<string, Cosigned>, rung: Bell, parts: WitnessParts) {
    this.#witness = witness;
    this.#verifier = parseWitnessVerifier(witness.key);
    this.#parts = parts;
    this.#bell = rung;
    this.#kept = kept;
    this.heard = new Promise((resolve) => {
      this.#hear = resolve;
    });
  }

  get id(): string {
    return this.#witness.id;
  }

  plan(year: number): WitnessPlan {
    const known = this.#plans.get(year);
    if (known) return known;
    const row = this.#kept.get(rowKey(year, this.#witness));
    const plan = startPlan(row?.size, row?.at);
    this.#plans.set(year, plan);
    return plan;
  }

  /** One question, or a wait until there is one. */
  async turn(): Promise<void> {
    const { clock, log, signal } = this.#parts;
    const seen = this.#bell.rung();
    const years = log.years.slice(-YEARS).reverse();
    let wake = clock.now() + IDLE_MS;
    for (const { year } of years) {
      const published = await this.#look(year);
      const action = published && (await this.#act(year, { kind: 'due' }));
      if (published && action?.kind === 'ask') return this.#ask(year, published, action);
      wake = Math.min(wake, wakeAt(this.plan(year)) ?? wake);
    }
    // Nothing is due: what there was to ask at the start was asked.
    this.#hear();
    await this.#bell.next(seen, Math.max(1, wake - clock.now()), signal);
  }

  /** What is published of a year now. */
  async #look(year: number): Promise<Published | undefined> {
    const { log } = this.#parts;
    const key = log.years.find((each) => each.year === year)?.key;
    const published = key === undefined ? undefined : await readPublished(log, year, key);
    if (published) await this.#act(year, { kind: 'published', size: published.size });
    return published;
  }

  async #ask(year: number, published: Published, question: Question): Promise<void> {
    const { log, clock, signal, ask = askWitness, random = Math.random } = this.#parts;
    let answer: WitnessAnswer;
    try {
      const body = await requestBody(log, year, question.old, published);
      const reply = await ask(this.#witness.url, body, signal);
      // An end is no fault of the witness.
      if (signal.aborted) return;
      const asked = { ...question, text: published.text };
      const read = readAnswer(reply, asked, this.#verifier, clock.now());
      answer = read.answer;
      this.#dropped(read.dropped);
      if (read.line !== undefined) {
        await this.#keep(year, { size: question.size, at: clock.now() });
        await log.cosigned(year, question.size, [read.line]);
      }
      // What it knows is compared with what is published by now.
      if (answer.kind === 'size') await this.#look(year);
    } catch (error) {
      answer = { kind: 'failed', because: `something failed here, not there: ${String(error)}` };
    }
    if (answer.kind === 'size' && answer.size < this.plan(year).cosigned) {
      this.#parts.logger.warn({ witness: this.id, year, says: answer.size }, 'witness-forgot');
    }
    // It does not know more than this store, or no longer: what it said before stops nothing.
    const isLevel =
      answer.kind === 'cosigned' || (answer.kind === 'size' && answer.size <= this.plan(year).published);
    if (isLevel) log.level(sourceOf(this.id), year);
    await this.#act(year, { kind: 'answered', answer, jitter: random() });
  }

  /** Decides, and tells what was learned. */
  async #act(year: number, event: WitnessEvent): Promise<WitnessAction> {
    const before = this.plan(year);
    const now = this.#parts.clock.now();
    const [plan, action] = decideWitness(before, event, now, this.#witness.everyMs);
    this.#plans.set(year, plan);
    if (action.kind === 'cosigned') this.#wellAgain(year, action.size);
    else if (action.kind === 'ahead' || action.kind === 'forked' || action.kind === 'absurd')
      await this.#fault(year, plan, action);
    else if (plan.failures > before.failures) this.#failed(year, plan.error ?? '');
    return action;
  }

  /** Before its line is published: what is kept is never less than what readers see. */
  async #keep(year: number, row: Cosigned): Promise<void> {
    await this.#parts.store.transact(LOG_SHARD, async (tx) => {
      const key = rowKey(year, this.#witness);
      const known = await tx.getState('witness', key);
      await tx.putState('witness', key, known?.version ?? 0, row);
    });
  }

  // -------------------------------------------------------------- telling

  #wellAgain(year: number, size: number): void {
    const { logger, cleared } = this.#parts;
    if (this.#told !== undefined) logger.info({ witness: this.id, year, size }, 'witness-cosigns-again');
    this.#told = undefined;
    cleared(alarmKey(this.id));
  }

  #failed(year: number, because: string): void {
    this.#parts.count(this.id, 'failed');
    if (this.#isNew(because)) {
      this.#parts.logger.warn({ witness: this.id, year, because }, 'witness-does-not-cosign');
    }
  }

  async #fault(
    year: number,
    plan: WitnessPlan,
    { kind, size }: Extract<WitnessAction, { kind: 'ahead' | 'forked' | 'absurd' }>,
  ): Promise<void> {
    const { logger, log, alarm } = this.#parts;
    const witness = this.id;
    const because = plan.error ?? `it has cosigned size ${size}, and size ${plan.published} is published`;
    this.#parts.count(witness, kind);
    if (!this.#isNew(because)) return;
    logger.error({ witness, year, size, because }, `witness-${kind}`);
    if (kind === 'ahead') await log.ahead(sourceOf(witness), size, year);
    else if (kind === 'absurd') alarm(absurdSize(witness, year, because));
    else alarm(otherHistory(witness, year, because));
  }

  /** Whether it was not the last thing said of this witness. */
  #isNew(because: string): boolean {
    const isNew = because !== this.#told;
    this.#told = because;
    return isNew;
  }

  #dropped(dropped: readonly string[]): void {
    if (dropped.length === 0) return;
    this.#parts.count(this.id, 'bad-cosignature');
    this.#parts.logger.error({ witness: this.id, dropped }, 'witness-cosignature-dropped');
  }

  status(year: number): LogStatus['witnesses'][number] {
    const { id, url } = this.#witness;
    const { cosigned, cosignedAt, error } = this.plan(year);
    return {
      name: id,
      url,
      ...(cosigned === 0 ? {} : { size: cosigned }),
      ...(cosignedAt === undefined ? {} : { at: cosignedAt }),
      ...(error === undefined ? {} : { error }),
    };
  }

  figures(year: number): WitnessFigures {
    const { cosigned, cosignedAt } = this.plan(year);
    return {
      id: this.id,
      size: cosigned,
      ...(cosignedAt === undefined ? {} : { cosignedAt }),
    };
  }
}

function rowKey(year: number, { key }: WitnessDecl): string {
  return `${year} ${key}`;
}

/** Who says so, for the log and for people. */
export function sourceOf(witness: string): string {
  return `witness ${witness}`;
}

function absurdSize(witness: string, year: number, because: string): Alarm {
  return {
    key: alarmKey(witness),
    title: `The witness ${witness} names a size of the log ${year} that can not be`,
    because,
    remedy:
      'the log goes on; where its URL is plain http somebody on the way may have answered: ask its operator, ' +
      'write its https URL, or take it out of the config',
  };
}

function alarmKey(witness: string): string {
  return `log/witness/${witness}`;
}

/** Signing goes on: an answer is unsigned, and stopping for it would let one lying witness stop the log. */
function otherHistory(witness: string, year: number, because: string): Alarm {
  return {
    key: alarmKey(witness),
    title: `The witness ${witness} holds another history of the log ${year}`,
    because,
    remedy:
      'the log goes on, since a witness says this without proof; ' +
      'ask it for the checkpoint that it cosigned: one by our key that this log never was proves a second collector, or a copy ' +
      'from a backup, that signed with the same key; ' +
      'if it is the witness that is wrong, ask its operator, or take it out of the config',
  };
}
