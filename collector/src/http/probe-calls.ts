/** The calls of probes: signed by their keys, so they need no token. */
import { openNote } from '@highwater/config/keys.ts';
import { decodeBase64, decodeUtf8 } from '@highwater/config/proof/bytes.ts';
import { noteOfAuthorization, parseRequestText } from '@highwater/config/proof/request.ts';
import type { Clock } from '@highwater/config/time.ts';
import {
  accepted,
  assignmentAnswer,
  batchWithBodies,
  checkpointHeader,
  frameWithDetails,
  logProofs,
  type LogProofs,
  maxProofs,
  operatorKeyHeader,
  unknownOrigin,
} from '@highwater/config/wire.ts';
import { z } from 'zod';
import type { ProofQuestion } from '../answers/proofs.ts';
import type { Bell } from '../bell.ts';
import type { IngestAnswer } from '../ingest/answer.ts';
import type { BatchIngest } from '../ingest/batches.ts';
import type { FrameIngest } from '../ingest/frames.ts';
import { assignmentAfter } from '../leaves/assignments.ts';
import type { Store } from '../store/store.ts';
import type { Watched } from '../watched.ts';
import { bodyType, readBody } from './body.ts';
import { queryInteger, queryWaitMs } from './query.ts';
import { HttpError, json, type Reply } from './reply.ts';
import type { Call, Route } from './routes.ts';

/** A signed request whose time is further than this from the collector's clock opens nothing, ms. */
const REQUEST_WINDOW_MS = 600_000;

const types = ['text/plain', 'application/json'] as const;

function replyOf(answer: IngestAnswer): Reply {
  const after = 'retryAfterS' in answer ? answer.retryAfterS : undefined;
  return json(answer.status, answer.body, after === undefined ? {} : { 'retry-after': String(after) });
}

/** A note as text, or with what goes beside it as JSON of this schema. */
async function noteOf<S extends z.ZodType>(
  call: Call,
  schema: S,
): Promise<{ note: string } | { json: z.output<S> }> {
  const type = bodyType(call.request, types);
  const body = await readBody(call.request);
  if (type === 'text/plain') return { note: body };
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
  const read = schema.safeParse(parsed);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new HttpError(400, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as expected'}`);
  }
  return { json: read.data };
}

/** The probe that signed a request for exactly this path, lately. Throws HttpError 401. */
function askedBy(watched: Watched, call: Call, now: number): string {
  const note = noteOfAuthorization(call.request.headers.authorization ?? '');
  if (note === undefined) throw new HttpError(401, 'the request is not signed by a probe');
  const opened = openNote(note, watched.verifiers);
  if ('error' in opened) throw new HttpError(401, opened.error, 'enrol the probe in the configuration');
  const said = parseRequestText(opened.text);
  if ('error' in said) throw new HttpError(401, said.error);
  const { origin } = watched.config;
  if (said.origin !== origin && said.origin !== unknownOrigin) {
    throw new HttpError(401, `the request is for the log ${said.origin}, this is ${origin}`);
  }
  if (said.probe !== opened.verifier.name)
    throw new HttpError(401, 'the key is not of the probe that is named');
  if (said.target !== call.request.url || said.method !== call.request.method) {
    throw new HttpError(401, 'another request was signed');
  }
  if (Math.abs(said.at - now) > REQUEST_WINDOW_MS) {
    throw new HttpError(401, 'the request was signed too long ago, or ahead', "set the probe's clock");
  }
  return said.probe;
}

/** The checkpoint in a signed request; undefined for none, or what is no base64 of text. */
export function shownIn({ request }: Call): string | undefined {
  const header = request.headers[checkpointHeader];
  const bytes = typeof header === 'string' ? decodeBase64(header) : undefined;
  return bytes === undefined ? undefined : decodeUtf8(bytes);
}

/** Throws HttpError 400. */
function proofQuestion({ query }: Call): ProofQuestion {
  const leaves = query.getAll('leaf');
  if (
    leaves.length === 0 ||
    leaves.length > maxProofs ||
    !leaves.every((leaf) => /^[0-9a-f]{64}$/.test(leaf))
  ) {
    throw new HttpError(400, `give 1 to ${maxProofs} leaf hashes, leaf=HEX, 64 lower-case digits each`);
  }
  const text = query.get('from');
  if (text === null) return { leaves, from: undefined };
  const [, year, digits] = /^([1-9][0-9]{3})\/([1-9][0-9]{0,15})$/.exec(text) ?? [];
  const size = Number(digits);
  if (!Number.isSafeInteger(size)) throw new HttpError(400, 'from is not YEAR/SIZE, such as 2026/1234');
  return { leaves, from: { year: Number(year), size } };
}

export interface ProbeCalls {
  readonly watched: Watched;
  readonly store: Store;
  readonly clock: Clock;
  readonly frames: FrameIngest;
  readonly batches: BatchIngest;
  /** The operator's verifier key. */
  readonly operatorKey: string;
  /** Rings when assignments may have changed, or when probes are asked to look now. */
  readonly assigned: Bell;
  /** What a probe shows of the log with a signed request: the newest checkpoint that it has, as a note; none yet. */
  readonly shown: (probe: string, checkpoint: string | undefined) => void;
  readonly proofs: (question: ProofQuestion) => Promise<LogProofs>;
  /** Takes what a probe is asked to look at now: monitors, at most as many as one answer holds. */
  readonly look: (probe: string) => readonly string[];
}

export function probeRoutes(parts: ProbeCalls): Route[] {
  const { watched, store, clock, assigned } = parts;
  return [
    {
      method: 'POST',
      path: '/v1/frames',
      access: 'open',
      says: {
        summary: 'Keeps a frame, signed by its probe, before it is acknowledged',
        takes: { 'text/plain': z.string(), 'application/json': frameWithDetails },
        gives: { 'application/json': accepted },
      },
      async handle(call) {
        const body = await noteOf(call, frameWithDetails);
        const { note, details } = 'json' in body ? body.json : { note: body.note, details: {} };
        return replyOf(await parts.frames.accept(note, details));
      },
    },
    {
      method: 'POST',
      path: '/v1/batches',
      access: 'open',
      says: {
        summary: 'Keeps a batch, signed by its probe, before it is acknowledged',
        takes: { 'text/plain': z.string(), 'application/json': batchWithBodies },
        gives: { 'application/json': accepted },
      },
      async handle(call) {
        const body = await noteOf(call, batchWithBodies);
        const { note, bodies } = 'json' in body ? body.json : { note: body.note, bodies: {} };
        return replyOf(await parts.batches.accept(note, bodies));
      },
    },
    {
      method: 'GET',
      path: '/v1/assignments',
      access: 'open',
      says: {
        summary:
          'What the probe that signed this request is to do, or what it is asked to look at now; 204 when there is neither',
        query: {
          after: 'Number of the assignment that it has',
          wait: 'How long to wait for a newer one: 30s',
          look: '1: it understands requests to look now, and gets them here too',
        },
        gives: { 'application/json': assignmentAnswer },
      },
      async handle(call) {
        const probe = askedBy(watched, call, clock.now());
        parts.shown(probe, shownIn(call));
        const [after, waitMs] = [queryInteger(call.query, 'after', 0), queryWaitMs(call.query)];
        const headers = { [operatorKeyHeader]: parts.operatorKey };
        const looks = call.query.get('look') === '1';
        const until = clock.monotonic() + waitMs;
        for (;;) {
          const seen = assigned.rung();
          const found = await assignmentAfter(store, probe, after);
          if (found !== undefined) return json(200, found, headers);
          // Nobody is there to take it any more.
          if (call.signal.aborted) return { status: 204, headers };
          const look = looks ? parts.look(probe) : [];
          if (look.length > 0) return json(200, { look }, headers);
          const leftMs = until - clock.monotonic();
          if (leftMs <= 0) return { status: 204, headers };
          await assigned.next(seen, leftMs, call.signal);
        }
      },
    },
    {
      method: 'GET',
      path: '/v1/proofs',
      access: 'open',
      says: {
        summary:
          'Proves to the probe that signed this request that the log holds its batches, and continues what it has seen',
        query: {
          leaf: `Leaf hash (RFC 6962) of a batch, hex; 1 to ${maxProofs} times`,
          from: 'YEAR/SIZE of the newest checkpoint that it has found consistent',
        },
        gives: { 'application/json': logProofs },
      },
      async handle(call) {
        const probe = askedBy(watched, call, clock.now());
        parts.shown(probe, shownIn(call));
        return json(200, await parts.proofs(proofQuestion(call)));
      },
    },
  ];
}
