import { z } from 'zod';
import { durationBetween, key, wholeBetween } from '@highwater/config/fields.ts';
import { faultId, type Fault } from '@highwater/config/faults.ts';
import { defineCheck, FaultError, type Reading } from '@highwater/config/kinds.ts';
import { totalTenths } from '../io/stopwatch.ts';
import { fault } from '../fault.ts';
import { type Json, sameJson, shown, typeOf, valueAt } from './json.ts';
import type { Ask, Reply } from './ask.ts';
import { openAsk } from './open-ask.ts';
import { transport, urlPath, urlPort } from './settings.ts';

const resultType = z.enum(['string', 'number', 'boolean', 'array', 'object', 'null']);
const methodId = /^[A-Za-z0-9._-]{1,64}$/;

const method = z.strictObject({
  method: key(z.string().min(1).max(128), 'The method to call.', 'eth_blockNumber'),
  params: key(
    z.union([z.array(z.json()), z.record(z.string(), z.json())]).default([]),
    'Its parameters, a list or named.',
    ['latest', false],
  ),
  id: key(
    z.string().regex(methodId, 'not an id, write 1 to 64 of A-Z a-z 0-9 . _ -').optional(),
    'What its figures are called; the method by default.',
  ),
  slow: key(durationBetween(1, 600_000).optional(), 'Slower than this is degraded.', '800ms'),
  at: key(
    z.string().min(1).max(200).optional(),
    'A path into the result that must lead to a value.',
    'peers.0.id',
  ),
  type: key(resultType.optional(), 'What the result, or the value at the path, must be.', 'string'),
  equals: key(z.json().optional(), 'What it must equal.', '0x1'),
});
type Method = z.infer<typeof method>;

const settings = z.strictObject({
  path: urlPath,
  port: urlPort,
  transport,
  methods: key(z.array(method).min(1).max(16), 'Asked one after the other, each timed alone.', [
    { method: 'eth_blockNumber' },
  ]).superRefine((methods, ctx) => {
    const seen = new Set<string>();
    for (const [index, each] of methods.entries()) {
      const id = each.id ?? each.method;
      if (!methodId.test(id))
        ctx.addIssue({
          code: 'custom',
          path: [index, 'id'],
          message: 'missing, and the method has characters that an id cannot have: write one',
        });
      if (seen.has(id))
        ctx.addIssue({
          code: 'custom',
          path: [index, 'id'],
          message: `a second '${id}', write an id that tells them apart`,
        });
      seen.add(id);
    }
  }),
  maxBytes: key(
    wholeBetween(1, 16_777_216).optional(),
    'Larger answers are a fault; 1 MiB by default.',
    65_536,
  ),
});

/** Calls methods one after the other on one connection; each must answer with a good result. */
export const jsonrpc = defineCheck({
  kind: 'jsonrpc',
  summary: 'Calls JSON-RPC methods over HTTP, each timed alone, and looks at their results.',
  settings,
  counts: true,
  needsChain: false,
  async run({ path, port, transport, methods, maxBytes }, ctx): Promise<Reading> {
    const limited =
      maxBytes === undefined
        ? ctx
        : {
            ...ctx,
            exchange: (asked: Parameters<typeof ctx.exchange>[0]) => ctx.exchange({ ...asked, maxBytes }),
          };
    const rpc = openAsk(limited, { path, port, transport });
    const facts: Record<string, string> = {};
    const faults: Fault[] = [];
    for (const each of methods) {
      const { fact, found, over } = await asked(rpc, each);
      facts[`m.${each.id ?? each.method}`] = fact;
      if (found) faults.push(found);
      // The connection failed or the deadline passed: the other methods would say the same, later.
      if (over) break;
    }
    const worst = faults.find((each) => each.code !== 'slow') ?? faults[0];
    const phases = rpc.phases('all');
    return {
      outcome: worst === undefined ? 'ok' : worst.code === 'slow' ? 'degraded' : 'fail',
      ...(worst ? { fault: worst } : {}),
      latencyTenths: totalTenths(phases),
      phases,
      facts,
    };
  },
});

async function asked(rpc: Ask, each: Method): Promise<{ fact: string; found?: Fault; over?: boolean }> {
  let reply: Reply;
  try {
    reply = await rpc.call(each.method, each.params);
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return { fact: faultId(thrown.fault), found: thrown.fault, over: true };
  }
  const found = reply.error ? reply.error.fault : unexpected(reply.result as Json, each);
  if (found)
    return { fact: faultId(found), found: { ...found, detail: `${each.method}: ${found.detail ?? ''}` } };
  if (each.slow !== undefined && reply.latencyTenths > each.slow * 10) {
    const detail = `${each.method}: ${reply.latencyTenths / 10} ms, limit ${each.slow} ms`;
    return { fact: String(reply.latencyTenths), found: fault('target.rpc.slow', detail) };
  }
  return { fact: String(reply.latencyTenths) };
}

function unexpected(result: Json, each: Method): Fault | undefined {
  const where = each.at === undefined ? 'the result' : `the value at ${each.at}`;
  const value = each.at === undefined ? result : valueAt(result, each.at);
  if (value === undefined || (each.at !== undefined && value === null && each.type !== 'null')) {
    return fault('target.rpc.result', `${where} is missing`);
  }
  if (each.type !== undefined && typeOf(value) !== each.type) {
    return fault('target.rpc.result', `${where} is of type ${typeOf(value)}, expected ${each.type}`);
  }
  if (each.equals !== undefined && !sameJson(value, each.equals)) {
    return fault('target.rpc.result', `${where} is ${shown(value)}, expected ${shown(each.equals)}`);
  }
  return undefined;
}
