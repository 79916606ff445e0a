/**
 * JSON-RPC over HTTP as checks use it: one request at a time, each with an id of its own, every odd answer
 * its own fault. Imports no I/O: everything goes out through the context.
 */
import type { Phases } from '@highwater/config/domain.ts';
import { type Fault, faultId, type FaultId } from '@highwater/config/faults.ts';
import { refusalStatuses } from '@highwater/config/faults/refusals.ts';
import {
  FaultError,
  type CheckContext,
  type ExchangeAnswer,
  type ExchangeRequest,
} from '@highwater/config/kinds.ts';
import { fault, faultError } from '../fault.ts';
import type { Ask, Place, Reply } from './ask.ts';
import { excerpt, isRecord, type Json, jsonText, readJson, shown, type Unread } from './json.ts';

// Begins anywhere, so that an answer that a proxy kept from an earlier run does not fit.
let lastId = Math.floor(Math.random() * 1_000_000_000);

export function openRpc(ctx: Pick<CheckContext, 'exchange'>, { path, port }: Place): Ask {
  const place = { ...(path ? { path } : {}), ...(port ? { port } : {}) };
  let connecting = { resolve: 0, connect: 0, tls: 0 };
  let sum = { firstByte: 0, transfer: 0 };
  let last = { firstByte: 0, transfer: 0 };
  const account = (phases: Phases | undefined) => {
    if (!phases) return;
    const { resolve, connect, tls, firstByte, transfer } = phases;
    connecting = {
      resolve: connecting.resolve + resolve,
      connect: connecting.connect + connect,
      tls: connecting.tls + tls,
    };
    last = { firstByte, transfer };
    sum = { firstByte: sum.firstByte + firstByte, transfer: sum.transfer + transfer };
  };
  const exchanged = async (request: ExchangeRequest): Promise<ExchangeAnswer> => {
    try {
      const answer = await ctx.exchange(request);
      account(answer.phases);
      return answer;
    } catch (thrown) {
      if (thrown instanceof FaultError) account(thrown.phases);
      throw thrown;
    }
  };
  return {
    async call(method, params) {
      lastId += 1;
      const id = lastId;
      const body = jsonText({ jsonrpc: '2.0', id, method, params });
      const headers = { 'content-type': 'application/json', accept: 'application/json' };
      const answer = await exchanged({ method: 'POST', headers, body, ...place });
      return { ...read(answer, id), status: answer.status, latencyTenths: tookTenths(answer) };
    },
    async get(more) {
      const headers = { accept: 'application/json' };
      const at = `${path?.replace(/\/$/, '') ?? ''}/${more.replace(/^\//, '')}`;
      const answer = await exchanged({ method: 'GET', headers, ...place, path: at });
      return { ...readRest(answer), status: answer.status, latencyTenths: tookTenths(answer) };
    },
    phases: (of) => ({ ...connecting, ...(of === 'all' ? sum : last) }),
  };
}

function tookTenths({ phases }: ExchangeAnswer): number {
  return phases.firstByte + phases.transfer;
}

/** Whether the node answered that it does not serve this (an error, or no such method), as opposed to not answering properly. */
export function isNotServed(error: FaultError): boolean {
  return error.fault.operation === 'rpc' && (error.fault.code === 'error' || error.fault.code === 'method');
}

function read(answer: ExchangeAnswer, id: number): Pick<Reply, 'result' | 'error'> {
  const parsed = readJson(answer.body);
  const value = 'value' in parsed ? parsed.value : undefined;
  if (answer.status < 200 || answer.status > 299) return { error: badAnswer(answer.status, value, id) };
  if ('because' in parsed) return wrong(unreadId(parsed), parsed.because);
  if (!isRecord(value)) return wrong('target.rpc.shape', excerpt(answer.body));
  return readAnswer(value, id);
}

function readRest({ status, body }: ExchangeAnswer): Pick<Reply, 'result' | 'error'> {
  const parsed = readJson(body);
  if (status < 200 || status > 299)
    return { error: badStatus(status, 'value' in parsed ? parsed.value : undefined) };
  return 'because' in parsed ? wrong(unreadId(parsed), parsed.because) : { result: parsed.value };
}

function unreadId({ isTooLarge }: Unread): FaultId {
  return isTooLarge ? 'target.http.too-large' : 'target.rpc.json';
}

/** Error by error, result by result: JSON-RPC 2.0 section 5; `error: null` beside a result is version 1.0. */
export function readAnswer(
  value: { readonly [key: string]: Json },
  id: number,
): Pick<Reply, 'result' | 'error'> {
  const error = Object.hasOwn(value, 'error') ? value['error'] : undefined;
  const failed = error !== undefined && error !== null;
  const result = Object.hasOwn(value, 'result') ? value['result'] : undefined;
  const succeeded = result !== undefined && !(failed && result === null);
  if (failed === succeeded)
    return wrong('target.rpc.shape', failed ? 'both result and error' : 'neither result nor error');
  const answered = Object.hasOwn(value, 'id') ? value['id'] : undefined;
  // A node that could not read the request answers an error with the id null.
  if (answered !== id && !(failed && (answered === null || answered === undefined))) {
    return wrong('target.rpc.id', `asked ${id}, answered ${shown(answered)}`);
  }
  if (failed) return { error: new FaultError(refusal(error)) };
  return { result: result as Json };
}

/** Codes of limits: EIP-1474 has -32005, providers the others; Solana has -32005 for a node that is behind or unhealthy. */
const limitCodes: ReadonlySet<number> = new Set([-32005, -32029, -32097, 429]);
const solanaUnhealthy = /behind|unhealthy/i;
/**
 * What is counted is what the client asks. Limits of the server's own (memory, disk, capacity) are outages, which
 * `refusals: skip` must not hide; so a word is here only when it cannot tell of those.
 */
const limitWords =
  /\brate.?limit|too many requests|throttl|^limit (?:was )?(?:exceeded|reached)|\b(?:rate|requests?|calls?|daily|monthly|usage) (?:limit (?:was )?(?:exceeded|reached)|quota)/i;

/** `status` where there is one: what a server says under 500 and above it says of itself, and only a code tells otherwise. */
function refusal(error: Json, status = 200): Fault {
  const code = isRecord(error) && typeof error['code'] === 'number' ? error['code'] : undefined;
  const message = isRecord(error) && typeof error['message'] === 'string' ? error['message'] : shown(error);
  const detail = `${code ?? 'no code'}: ${message}`;
  if (code === -32601) return fault('target.rpc.method', detail);
  const isLimit =
    code !== undefined && limitCodes.has(code)
      ? code !== -32005 || !solanaUnhealthy.test(message)
      : status < 500 && limitWords.test(message);
  return fault(isLimit ? 'target.rpc.limit' : 'target.rpc.error', detail);
}

/** Refused by what stands before the node, whatever the body says. */
const statusDecides: ReadonlySet<number> = new Set([401, 403, 429, 502, 503, 504]);

/** Graphene answers errors with 400 and 500, Bitcoin with 404 and 500: an error that answers our question decides. */
function badAnswer(status: number, value: Json | undefined, id: number): FaultError {
  const error = isRecord(value) && Object.hasOwn(value, 'error') ? value['error'] : undefined;
  const answered = isRecord(value) && Object.hasOwn(value, 'id') ? value['id'] : undefined;
  const ours = error !== undefined && error !== null && (answered === id || answered === null);
  if (!ours || statusDecides.has(status)) return badStatus(status, value);
  const { source, operation, code, detail = '' } = refusal(error, status);
  return faultError(faultId({ source, operation, code }), `HTTP ${status}: ${detail}`);
}

/** The status decides; a message in the body, of JSON-RPC or of REST, helps. */
function badStatus(status: number, value: Json | undefined): FaultError {
  const error = isRecord(value) ? (value['error'] ?? value) : undefined;
  const message = isRecord(error) ? error['message'] : undefined;
  const said = typeof message === 'string' ? `${status}: ${message}` : `${status}`;
  if (status === 429) return faultError('target.rpc.limit', said);
  return faultError(refusalStatuses.has(status) ? 'target.http.refused' : 'target.http.status', said);
}

function wrong(id: FaultId, detail: string): { error: FaultError } {
  return { error: faultError(id, detail) };
}
