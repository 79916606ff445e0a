/** The call by which an operator remarks on an entry of the log. */
import { MAX_ANNOTATION_CHARS } from '@highwater/config/proof/annotation-leaf.ts';
import { isProse } from '@highwater/config/proof/text.ts';
import type { Clock } from '@highwater/config/time.ts';
import { annotationRequest, annotationWritten } from '@highwater/config/wire.ts';
import type { Signing } from '../leaves/actions.ts';
import { annotate, parseEntryName } from '../leaves/annotations.ts';
import type { Store } from '../store/store.ts';
import { jsonBody } from './json-body.ts';
import { HttpError, json, type Reply } from './reply.ts';
import type { Call, Route } from './routes.ts';

export interface AnnotationCalls {
  readonly store: Store;
  readonly clock: Clock;
  readonly signing: Signing;
  /** Called after each leaf. */
  readonly committed: () => void;
}

/** Throws HttpError 400 for what a leaf can't hold, or a reader can't see. */
function checkText(text: string): void {
  if (text === '') throw new HttpError(400, 'text: there is none', 'say what is to be remarked');
  if (text.length > MAX_ANNOTATION_CHARS) {
    const error = `text: it has ${text.length} characters, and a remark has at most ${MAX_ANNOTATION_CHARS}`;
    throw new HttpError(400, error, 'make it shorter, or write several');
  }
  if (!isProse(text, MAX_ANNOTATION_CHARS)) {
    const error = 'text: it has a line end, or a character that controls, turns the direction or is not seen';
    throw new HttpError(400, error, 'write one line of visible characters');
  }
}

async function annotateCall(parts: AnnotationCalls, call: Call): Promise<Reply> {
  const { store, clock, signing, committed } = parts;
  const request = await jsonBody(call, annotationRequest);
  const text = request.text.trim();
  checkText(text);
  const name = parseEntryName(request.of);
  if (name === undefined) {
    const remedy = 'write its leaf hash in base64 or hex, or its place as YEAR/INDEX, like 2026/1234';
    throw new HttpError(400, 'of: it names no entry of the log', remedy);
  }
  const done = await annotate(store, clock, signing, name, text);
  if (done === undefined) {
    const remedy =
      'a place is known once it is signed, and entry 0 of a later year is a checkpoint; a leaf hash at once';
    throw new HttpError(404, `the log has no entry ${request.of}`, remedy);
  }
  if (done.result === 'written') committed();
  return json(200, done);
}

export function annotationRoutes(parts: AnnotationCalls): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/annotations',
      says: {
        summary: 'Remarks on an entry of the log; it changes nothing in the number, it stands beside',
        takes: { 'application/json': annotationRequest },
        gives: { 'application/json': annotationWritten },
      },
      handle: (call) => annotateCall(parts, call),
    },
  ];
}
