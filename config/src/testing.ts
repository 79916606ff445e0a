/** Kinds for this package's own tests: the shape of the real ones, without their code, which config may not import. */
import { z } from 'zod';
import { durationBetween, key, secretRef } from './fields.ts';
import { defineChannel, defineCheck } from './kinds.ts';
import type { Tables } from './kinds.ts';

const unused = (): never => {
  throw new Error('tests of config run no check and send nothing');
};
const method = z.strictObject({
  method: key(z.string().min(1), 'The method to call.', 'eth_blockNumber'),
  params: z.array(z.json()).optional(),
  slow: durationBetween(1, 600_000).optional(),
});

export const exampleTables: Tables = {
  checks: {
    http: defineCheck({
      kind: 'http',
      summary: 'Asks a URL.',
      // Not strict on purpose: load.ts refuses unknown keys whatever a kind's schema does with them.
      settings: z.object({ path: z.string().optional() }),
      counts: true,
      needsChain: false,
      run: unused,
    }),
    jsonrpc: defineCheck({
      kind: 'jsonrpc',
      summary: 'Calls methods.',
      settings: z.strictObject({
        methods: key(z.array(method).min(1), 'The calls.', [{ method: 'eth_blockNumber' }]),
      }),
      counts: true,
      needsChain: false,
      run: unused,
    }),
    head: defineCheck({
      kind: 'head',
      summary: 'Asks for the newest block.',
      settings: z.strictObject({}),
      counts: true,
      needsChain: true,
      run: unused,
    }),
  },
  channels: {
    discord: defineChannel({
      kind: 'discord',
      summary: 'Discord.',
      settings: z.strictObject({ webhook: secretRef }),
      send: unused,
    }),
    email: defineChannel({
      kind: 'email',
      summary: 'Mail.',
      settings: z.strictObject({ smtp: secretRef, from: z.email(), to: z.array(z.email()).min(1) }),
      send: unused,
    }),
  },
};
