/**
 * A WebSocket and one call on it, against bare `ws`. That is what a `jsonrpc` check of a ws:// URL does, so it is the case
 * `ws`; a `websocket` check does it with a script, which looks into the answer in its own way.
 */
import { probeHeapFlags } from '../../../bin/probe-heap.ts';
import type { Case } from './case.ts';
import { inWorker } from './contender.ts';

const call = { jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] };

function socketCase(name: string, kind: string, settings: Readonly<Record<string, unknown>>): Case {
  return {
    name,
    checks: 3_000,
    start({ ws: urls }) {
      const what = { kind, settings, urls, body: JSON.stringify(call) };
      return Promise.resolve([
        inWorker('ours', './ours.ts', what, probeHeapFlags),
        inWorker('bare ws', './bare-ws.ts', what),
      ]);
    },
  };
}

export const socketCases: readonly Case[] = [
  socketCase('ws', 'jsonrpc', { methods: [{ method: call.method, equals: '0x10' }] }),
  socketCase('ws-script', 'websocket', {
    script: [{ send: call, expect: { path: 'result', equals: '0x10' } }],
  }),
];
