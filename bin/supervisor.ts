/**
 * Keeps the roles of one machine alive: each is a process of its own, started again when it dies,
 * ever more slowly while it keeps dying, killed when it no longer answers, and drained together on the way out.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { heapFlagsFor } from './probe-heap.ts';

/** A role to keep alive. */
export interface RoleSpec {
  /** For people: `probe local`. */
  readonly name: string;
  /** Arguments of `bin/highwater`; `port` is the one it had before, so that a restart keeps its address. */
  args(port: number | undefined): readonly string[];
}

/** What the supervisor has to tell; the caller decides how to show it. */
export type SupervisorEvent =
  | { readonly type: 'ready'; readonly role: string; readonly url: string; readonly pid: number }
  | { readonly type: 'ended'; readonly role: string; readonly how: string; readonly againInMs: number }
  | { readonly type: 'hung'; readonly role: string; readonly unanswered: number }
  | { readonly type: 'said'; readonly role: string; readonly message: unknown };

export interface SupervisorLimits {
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  /** A role that lived this long starts again at the first delay. */
  readonly steadyAfterMs: number;
  /** SIGKILL follows SIGTERM after this: for all roles but the first, and then for the first. */
  readonly drainMs: readonly [rest: number, first: number];
  /** How often each role's /healthz is asked, for how long, and how many in a row may fail before it is killed. */
  readonly healthEveryMs: number;
  readonly healthWithinMs: number;
  readonly healthFailures: number;
}

export const defaultLimits: SupervisorLimits = {
  firstRetryMs: 250,
  lastRetryMs: 30_000,
  steadyAfterMs: 30_000,
  drainMs: [7_200, 2_300],
  healthEveryMs: 10_000,
  healthWithinMs: 5_000,
  healthFailures: 3,
};

const launcher = fileURLToPath(new URL('./highwater', import.meta.url));

/** The delay before try number `failures` (from 1): doubling, capped. */
export function retryDelayMs(failures: number, limits: SupervisorLimits = defaultLimits): number {
  return Math.min(limits.lastRetryMs, limits.firstRetryMs * 2 ** Math.min(failures - 1, 20));
}

interface Kept {
  readonly spec: RoleSpec;
  /** It is not to be started again. */
  isOver?: boolean;
  child?: ChildProcess;
  timer?: NodeJS.Timeout;
  /** Ends the questions to the process that runs now. */
  watch?: AbortController;
  port?: number;
  failures: number;
}

export class Supervisor {
  #kept: readonly Kept[] = [];
  readonly #limits: SupervisorLimits;
  readonly #tell: (event: SupervisorEvent) => void;
  readonly #program: string;
  #draining = false;

  /** `program` is a script for Node that tells `{ ready: URL }` over its IPC channel. */
  constructor(tell: (event: SupervisorEvent) => void, limits = defaultLimits, program = launcher) {
    this.#tell = tell;
    this.#limits = limits;
    this.#program = program;
  }

  /**
   * Starts a role and resolves with its address once it is ready. Rejects when it ends before it was
   * ever ready: its first start failing is the operator's to mend, not a crash to be retried.
   */
  start(spec: RoleSpec): Promise<string> {
    const kept: Kept = { spec, failures: 0 };
    this.#kept = [...this.#kept, kept];
    return new Promise((ready, failed) => this.#launch(kept, ready, failed));
  }

  #launch(kept: Kept, ready?: (url: string) => void, failed?: (why: Error) => void): void {
    // fork, not a shell: the child gets an IPC channel, and learns by its closing that we are gone.
    const args = kept.spec.args(kept.port);
    const child = fork(this.#program, [...args], {
      execArgv: [...process.execArgv, ...heapFlagsFor(args)],
      // One screen for people; the roles tell only what is wrong unless asked for more.
      env: { HIGHWATER_LOG_LEVEL: 'warn', ...process.env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    kept.child = child;
    const bornAt = performance.now();
    let wasReady = false;
    child.on('message', (message: unknown) => {
      const url = readyUrl(message);
      if (url === undefined) return this.#tell({ type: 'said', role: kept.spec.name, message });
      if (wasReady) return;
      wasReady = true;
      kept.port = Number(new URL(url).port);
      this.#tell({ type: 'ready', role: kept.spec.name, url, pid: child.pid ?? 0 });
      kept.watch = new AbortController();
      void this.#watch(kept, child, url, kept.watch.signal);
      ready?.(url);
    });
    let isOver = false;
    const over = (how: string) => {
      if (isOver) return;
      isOver = true;
      delete kept.child;
      kept.watch?.abort();
      if (this.#draining || kept.isOver === true) return;
      if (!wasReady && failed) return failed(new Error(`${kept.spec.name} could not start (${how})`));
      if (performance.now() - bornAt > this.#limits.steadyAfterMs) kept.failures = 0;
      kept.failures += 1;
      const againInMs = retryDelayMs(kept.failures, this.#limits);
      this.#tell({ type: 'ended', role: kept.spec.name, how, againInMs });
      kept.timer = setTimeout(() => this.#launch(kept), againInMs);
    };
    child.once('exit', (code, signal) => over(signal ?? `exit code ${code}`));
    // No process could be made (no memory, no handles): there is no exit then. Other errors are of the channel.
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) over(`no process: ${error.code ?? error.message}`);
    });
  }

  /** A process can be there and do nothing. Any answer is a sign of life: what it says is for people. */
  async #watch(kept: Kept, child: ChildProcess, url: string, signal: AbortSignal): Promise<void> {
    const { healthEveryMs, healthWithinMs, healthFailures } = this.#limits;
    for (let unanswered = 0; unanswered < healthFailures;) {
      await sleep(healthEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      unanswered = (await answers(`${url}/healthz`, healthWithinMs)) ? 0 : unanswered + 1;
    }
    if (signal.aborted) return;
    this.#tell({ type: 'hung', role: kept.spec.name, unanswered: healthFailures });
    child.kill('SIGKILL');
  }

  /** The names of all that are kept alive. */
  get roles(): readonly string[] {
    return this.#kept.map(({ spec }) => spec.name);
  }

  /** Sends a signal to the process of a role; nothing where none runs at this moment: its next start reads all anew. */
  signal(name: string, signal: NodeJS.Signals): void {
    this.#kept.find(({ spec }) => spec.name === name)?.child?.kill(signal);
  }

  /** Ends a role for good. Resolves once its process is gone. Never rejects. */
  async end(name: string): Promise<void> {
    const ended = this.#kept.filter(({ spec }) => spec.name === name);
    this.#kept = this.#kept.filter((each) => !ended.includes(each));
    for (const each of ended) {
      each.isOver = true;
      clearTimeout(each.timer);
      each.watch?.abort();
    }
    await Promise.all(ended.map(({ child }) => end(child, this.#limits.drainMs[0])));
  }

  /**
   * Asks every role to end and waits; those that do not are killed. The first that was started ends last: the
   * others have something to hand over to it. Never rejects.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const { timer, watch } of this.#kept) {
      clearTimeout(timer);
      watch?.abort();
    }
    const [first, ...rest] = this.#kept;
    const [restMs, firstMs] = this.#limits.drainMs;
    await Promise.all(rest.map(({ child }) => end(child, restMs)));
    await end(first?.child, firstMs);
  }
}

async function end(child: ChildProcess | undefined, withinMs: number): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const last = setTimeout(() => child.kill('SIGKILL'), withinMs);
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
  clearTimeout(last);
}

/** Over a connection of its own, so that none is left open when the role drains. Never rejects. */
function answers(url: string, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(withinMs) }, (response) => {
      response.resume();
      resolve(true);
    });
    request.on('error', () => resolve(false));
  });
}

function readyUrl(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null || !('ready' in message)) return undefined;
  return typeof message.ready === 'string' ? message.ready : undefined;
}
