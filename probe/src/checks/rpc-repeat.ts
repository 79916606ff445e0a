/** How a person asks a node one question by hand: curl, or wscat where checks use a WebSocket. Pure. */
import type { Asked } from '@highwater/config/kinds.ts';
import { asHttp, asSocket, joinPath } from '../io/url.ts';
import { curlLine } from '../repeat.ts';
import { wscatLine } from '../repeat-socket.ts';
import type { Ask, Place, Reply, RpcParams } from './ask.ts';
import { jsonText } from './json.ts';
import { noPhases } from '../io/stopwatch.ts';

/** A method, or a path asked by GET. */
export type Question = { readonly method: string; readonly params: RpcParams } | { readonly get: string };

/** As the way out asks. */
const asIs = { 'accept-encoding': 'identity' };
/** Not 1, which a node that ignores the id of a question is likely to answer: then `target.rpc.id` would not be seen. */
const someId = 7331;

export function questionLine(question: Question, place: Place, asked: Asked): string {
  const { target } = asked;
  if ('get' in question) {
    const path = `${place.path?.replace(/\/$/, '') ?? ''}/${question.get.replace(/^\//, '')}`;
    const headers = { accept: 'application/json', ...asIs };
    return curlLine(joinPath(asHttp(target.url), path, place.port), { headers, words: ['-i'] }, asked);
  }
  const body = jsonText({ jsonrpc: '2.0', id: someId, ...question });
  if (isOverSocket(place, target.url)) {
    return wscatLine(joinPath(asSocket(target.url), place.path, place.port), { send: body }, asked);
  }
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...asIs };
  const url = joinPath(asHttp(target.url), place.path, place.port);
  return curlLine(url, { headers, body, words: ['-i'] }, asked);
}

function isOverSocket({ transport }: Place, url: string): boolean {
  return transport === undefined ? /^wss?:/i.test(url) : transport === 'websocket';
}

/**
 * The first question that a family asks of a node, by letting it ask one that never answers: so it needs no table beside
 * the families' own files. Undefined for one that waits for something else first.
 */
export function firstQuestion(asks: (ask: Ask) => Promise<unknown>): Question | undefined {
  let first: Question | undefined;
  const never = (question: Question): Promise<Reply> => {
    first ??= question;
    return new Promise(() => undefined);
  };
  void asks({
    call: (method, params) => never({ method, params }),
    get: (path) => never({ get: path }),
    phases: () => noPhases,
  });
  return first;
}
