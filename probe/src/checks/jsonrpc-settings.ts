/** What an operator writes for a jsonrpc check, and all that can be wrong with it. */
import { z } from 'zod';
import { durationBetween, flag, key, wholeBetween } from '@highwater/config/fields.ts';
import { methodIdOf } from '@highwater/config/method-id.ts';
import { maxJsonBytes } from './json.ts';
import { inexact, inexactMessage, judged } from './json-settings.ts';
import { chainApi, transport, urlPath, urlPort } from './settings.ts';
import { templateProblem, withoutTemplates } from './template.ts';

const resultType = z.enum(['string', 'number', 'boolean', 'array', 'object', 'null']);
const methodId = /^[A-Za-z0-9._-]{1,64}$/;
const pathMessage = "not a path, write one that begins with '/', without spaces and '#'";

function paramProblem(leaf: unknown): string | undefined {
  if (typeof leaf === 'string') return templateProblem(leaf);
  return inexact(leaf) ? 'a number beyond 2^53, which is rounded on its way, write a smaller one' : undefined;
}

function equalsProblem(leaf: unknown): string | undefined {
  if (typeof leaf === 'string' && withoutTemplates(leaf, () => '') !== leaf)
    return templateProblem(leaf) === undefined
      ? 'a template, which only params and get can have, write the value itself'
      : undefined;
  return inexact(leaf) ? inexactMessage : undefined;
}

const method = z
  .strictObject({
    method: key(
      z
        .string()
        .min(1, 'empty, write the name of a method')
        .max(128, 'too long, write at most 128 characters')
        .optional(),
      'The method to call. Or `get`.',
      'eth_blockNumber',
    ),
    params: key(
      judged(z.union([z.array(z.json()), z.record(z.string(), z.json())]).optional(), paramProblem),
      'Its parameters, a list or named. `{{head}}`, `{{head-100}}`, `{{random 1000..9000}}` and `{{head-random 10..100}}` (blocks back) in them vary, so that no cache can flatter; as the family writes heights, in longer text decimal, or by ` hex` or ` int` before the braces close. Published in the log as written, where the service is public.',
      ['{{head-random 10..100}}', false],
    ),
    get: key(
      z
        .string()
        .max(2_000, 'too long, write at most 2000 characters')
        .superRefine((text, ctx) => {
          const problem = templateProblem(text);
          const path = withoutTemplates(text, () => '0');
          if (problem !== undefined) ctx.addIssue(problem);
          else if (!/^\/[^\s#\\]*$/.test(path)) ctx.addIssue(pathMessage);
        })
        .optional(),
      "A path to ask by GET instead of a method, for REST APIs; appended to the check's own path. Templates as in `params`, and published as they are.",
      '/v2/blocks/{{head-10}}',
    ),
    id: key(
      z.string().regex(methodId, 'not an id, write 1 to 64 of A-Z a-z 0-9 . _ -').optional(),
      'What its figures are called; the method, or the path in these letters, by default.',
    ),
    slow: key(durationBetween(1, 600_000).optional(), 'Slower than this is degraded.', '800ms'),
    at: key(
      z.string().min(1).max(200).optional(),
      'A path into the result that must lead to a value.',
      'peers.0.id',
    ),
    type: key(resultType.optional(), 'What the result, or the value at the path, must be.', 'string'),
    equals: key(
      judged(z.json().optional(), equalsProblem),
      'What it must equal; a whole number beyond 2^53 in quotes.',
      '0x1',
    ),
    equal: key(
      flag.default(false),
      'The result, or the value at the path, must be the same on all nodes of the service. The head in its templates is then rounded down to a multiple of 8, so that nodes a few blocks apart are asked the same.',
      true,
    ),
  })
  .superRefine((each, ctx) => {
    const wrong = (at: string, message: string) =>
      ctx.addIssue({ code: 'custom', path: [at], message, input: undefined });
    if (each.method === undefined && each.get === undefined)
      wrong('method', 'required, write method: NAME, or get: PATH for a REST API');
    if (each.method !== undefined && each.get !== undefined)
      wrong('get', 'beside a method, write one of the two');
    if (each.get !== undefined && each.params !== undefined)
      wrong('params', 'of a path asked by GET, write them into its query, ?name=value');
  });

/** One thing to ask. */
export type Method = z.infer<typeof method>;

export const jsonrpcSettings = z.strictObject({
  path: urlPath,
  port: urlPort,
  transport,
  api: chainApi,
  methods: key(z.array(method).min(1).max(16), 'Asked one after the other, each timed alone.', [
    { method: 'eth_blockNumber' },
  ]).superRefine((methods, ctx) => {
    const seen = new Set<string>();
    for (const [index, each] of methods.entries()) {
      if (each.method === undefined && each.get === undefined) continue;
      const wrong = (message: string) =>
        ctx.addIssue({ code: 'custom', path: [index, 'id'], message, input: undefined });
      const id = methodIdOf(each);
      if (!methodId.test(id))
        wrong('missing, and none can be made of the method or path, write 1 to 64 of A-Z a-z 0-9 . _ -');
      else if (seen.has(id)) wrong(`a second '${id}', write an id that tells them apart`);
      seen.add(id);
    }
  }),
  maxBytes: key(
    wholeBetween(1, maxJsonBytes).optional(),
    'Larger answers are a fault; 1 MiB by default, 4 MiB at most. So is JSON with over 250,000 commas, colons and opening brackets.',
    65_536,
  ),
});
export type JsonrpcSettings = z.infer<typeof jsonrpcSettings>;
