/**
 * What the probe is to do: a note of the operator that commits to a JSON body. Checked here, whoever delivered it:
 * the signature by the trusted key, the probe's id, the hash of the body, and that the number never goes back.
 * The last good one stays on disk, so that a probe that restarts without a collector goes on.
 * The same call brings requests to look now: unsigned, since all that they can cause is bounded here.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openNote, parseVerifier, sha256, type Verifier } from '@highwater/config/keys.ts';
import { bodyHashOf, parseAssignmentText } from '@highwater/config/proof/assignment.ts';
import {
  type Assignment,
  assignment,
  assignmentAnswer,
  assignmentBody,
  type AssignmentBody,
  operatorKeyHeader,
  unknownOrigin,
} from '@highwater/config/wire.ts';
import type { CollectorLink, Reply } from './collector-link.ts';
import { writeDurably } from './journal.ts';
import { type Asker, signedHeaders } from './signed-request.ts';

export interface Assigned {
  /** Origin of the log without the year. */
  readonly origin: string;
  readonly body: AssignmentBody;
}

/** The operator's verifier key: given at start, or the first one seen, which is then kept. */
export interface Trust {
  /** Undefined until one was seen. */
  readonly verifier: Verifier | undefined;
  /** Takes the first key that is offered; a later one changes nothing. */
  offer(vkey: string): void;
}

/** Throws an Error that names the flag when the key given is none. */
export function openTrust(dir: string, given: string | undefined, log: Logger): Trust {
  const file = join(dir, 'operator.vkey');
  let verifier: Verifier | undefined;
  if (given !== undefined) {
    try {
      verifier = parseVerifier(given);
    } catch (thrown) {
      throw new Error(`--trust: ${thrown instanceof Error ? thrown.message : 'not a verifier key'}`, {
        cause: thrown,
      });
    }
  } else if (existsSync(file)) {
    verifier = parseVerifier(readFileSync(file, 'utf8').trim());
  }
  return {
    get verifier() {
      return verifier;
    },
    offer(vkey) {
      if (verifier !== undefined) return;
      verifier = parseVerifier(vkey);
      writeDurably(file, `${vkey}\n`, dir);
      log.warn({ vkey }, 'operator.trusted-on-first-use');
    },
  };
}

/** Opens an assignment. The error says which check it failed. */
export function openAssignment(
  { note, body }: Assignment,
  probe: string,
  trusted: Verifier,
): Assigned | { readonly error: string } {
  const opened = openNote(note, [trusted]);
  if ('error' in opened) return { error: `${opened.error}; this probe trusts ${trusted.vkey}` };
  const said = parseAssignmentText(opened.text);
  if ('error' in said) return said;
  if (said.probe !== probe) return { error: `it is for the probe ${said.probe}` };
  if (said.origin !== trusted.name)
    return { error: `it is for the log ${said.origin}, the operator is ${trusted.name}` };
  if (bodyHashOf(body, sha256) !== said.bodyHash) return { error: 'the body is not the one that was signed' };
  const parsed = assignmentBody.safeParse(parseJson(body));
  if (!parsed.success)
    return { error: `the body has another form: ${parsed.error.issues[0]?.path.join('.') ?? ''}` };
  const { data } = parsed;
  if (data.probe !== probe || data.number !== said.number || data.config !== said.config) {
    return { error: 'note and body contradict each other' };
  }
  return { origin: said.origin, body: data };
}

/** The last good assignment, when there is one that is still good. */
export function lastAssignment(dir: string, probe: string, trust: Trust): Assigned | undefined {
  const file = join(dir, 'assignment.json');
  if (!trust.verifier || !existsSync(file)) return undefined;
  const parsed = assignment.safeParse(parseJson(readFileSync(file, 'utf8')));
  const opened = parsed.success ? openAssignment(parsed.data, probe, trust.verifier) : undefined;
  return opened === undefined || 'error' in opened ? undefined : opened;
}

export interface FollowOptions {
  readonly dir: string;
  readonly asker: Asker;
  readonly trust: Trust;
  readonly link: CollectorLink;
  readonly log: Logger;
  /** The highest number known; 0 before any. */
  readonly after: number;
  changed(assigned: Assigned): void;
  /** Another region contradicts what is known of these monitors. Any of them may be unknown here. */
  look(monitors: readonly string[]): void;
}

const waitMs = 30_000;
const graceMs = 10_000;
const firstRetryMs = 500;
const maxRetryMs = 5_000;
/** However fast a collector has things to look at, it is asked for more at most so often. */
const lookPauseMs = 200;

/** Follows the assignments until the signal aborts. Never rejects. */
export async function followAssignments(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { link, log, asker, trust } = options;
  let after = options.after;
  let failures = 0;
  while (!signal.aborted) {
    const target = `/v1/assignments?after=${after}&wait=${waitMs / 1_000}s&look=1`;
    const origin = trust.verifier?.name ?? unknownOrigin;
    const headers = signedHeaders(asker, origin, target);
    let pauseMs = 0;
    try {
      const began = performance.now();
      const reply = await link.get(target, headers, waitMs + graceMs, signal);
      const taken = take(reply, options, after);
      if (taken === 'looked') {
        failures = 0;
        pauseMs = lookPauseMs;
      } else if (taken !== undefined) {
        after = taken;
        failures = 0;
      } else if (reply.status === 204) {
        failures = 0;
        // A collector that does not wait must not be asked without pause.
        pauseMs = performance.now() - began < 1_000 ? 1_000 : 0;
      } else failures += 1;
    } catch (thrown) {
      failures += 1;
      if (!signal.aborted) log.debug({ because: messageOf(thrown) }, 'assignment.unreachable');
    }
    if (failures > 0)
      pauseMs =
        Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 10)) * (0.5 + Math.random() / 2);
    await pause(pauseMs, signal);
  }
}

/** Takes a good assignment in and gives its number, or hands on what is to be looked at; undefined when it is neither. */
function take(reply: Reply, options: FollowOptions, after: number): number | 'looked' | undefined {
  const { dir, asker, trust, log } = options;
  if (reply.status === 204) return undefined;
  if (reply.status !== 200) {
    log.warn({ status: reply.status, because: reply.text.slice(0, 300) }, 'assignment.refused');
    return undefined;
  }
  const offered = reply.headers[operatorKeyHeader];
  try {
    if (typeof offered === 'string') trust.offer(offered);
  } catch (thrown) {
    log.error({ because: messageOf(thrown) }, 'operator.key-malformed');
  }
  const parsed = assignmentAnswer.safeParse(parseJson(reply.text));
  if (!parsed.success) return rejected(log, 'the answer is neither an assignment nor a request to look now');
  if ('look' in parsed.data) {
    options.look(parsed.data.look);
    return 'looked';
  }
  if (!trust.verifier) return rejected(log, 'no operator key is known: start the probe with --trust VKEY');
  const opened = openAssignment(parsed.data, asker.key.name, trust.verifier);
  if ('error' in opened) return rejected(log, opened.error);
  if (opened.body.number <= after) return rejected(log, `number ${opened.body.number} is not after ${after}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeDurably(join(dir, 'assignment.json'), JSON.stringify(parsed.data), dir);
  options.changed(opened);
  return opened.body.number;
}

function rejected(log: Logger, because: string): undefined {
  log.error({ because }, 'assignment.rejected');
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    function end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    }
    signal.addEventListener('abort', end, { once: true });
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
