/** http, JSON-RPC and https against blackbox's http prober and a bare undici Client. */
import { probeHeapFlags } from '../../../bin/probe-heap.ts';
import type { Asked } from './asked.ts';
import { caFile, type Module, startBlackbox } from './blackbox.ts';
import type { Case } from './case.ts';
import { inWorker } from './contender.ts';
import type { Target } from './target.ts';

function httpCase(name: string, checks: number, asked: (target: Target) => Asked, http: Module): Case {
  return {
    name,
    checks,
    async start(target) {
      const what = asked(target);
      // By default it speaks HTTP/2 where it can, and ours does not.
      const module = { prober: 'http', timeout: '5s', http: { enable_http2: false, ...http } };
      const blackbox = { module, targets: what.urls, ...(what.ca === undefined ? {} : { ca: what.ca }) };
      return [
        inWorker('ours', './ours.ts', what, probeHeapFlags),
        await startBlackbox({ ...blackbox, name: 'blackbox_exporter, one thread', maxProcs: 1 }),
        await startBlackbox({ ...blackbox, name: 'blackbox_exporter' }),
        inWorker('bare undici Client', './bare-undici.ts', what),
      ];
    },
  };
}

const call = { jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] };

export const httpCases: readonly Case[] = [
  httpCase('http', 4_000, ({ http }) => ({ kind: 'http', settings: {}, urls: http }), {}),
  httpCase(
    'jsonrpc',
    4_000,
    ({ http }) => ({
      kind: 'jsonrpc',
      settings: { methods: [{ method: call.method, equals: '0x10' }] },
      urls: http,
      body: JSON.stringify(call),
    }),
    {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(call),
      fail_if_body_not_matches_regexp: ['"result":"0x10"'],
    },
  ),
  httpCase('https', 2_000, ({ https, ca }) => ({ kind: 'http', settings: {}, urls: https, ca }), {
    tls_config: { ca_file: caFile },
  }),
];
