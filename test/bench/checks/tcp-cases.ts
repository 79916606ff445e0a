/** tcp against blackbox's tcp prober and a bare socket: a connection alone, and with a word each way. */
import { probeHeapFlags } from '../../../bin/probe-heap.ts';
import type { Asked } from './asked.ts';
import { type Module, startBlackbox } from './blackbox.ts';
import type { Case } from './case.ts';
import { inWorker } from './contender.ts';

function tcpCase(name: string, asked: Pick<Asked, 'settings' | 'body'>, tcp: Module): Case {
  return {
    name,
    checks: 4_000,
    async start({ tcp: urls }) {
      const what = { kind: 'tcp', urls, ...asked };
      const targets = urls.map((url) => new URL(url).host);
      const module = { prober: 'tcp', timeout: '5s', tcp };
      return [
        inWorker('ours', './ours.ts', what, probeHeapFlags),
        await startBlackbox({ name: 'blackbox_exporter, one thread', module, targets, maxProcs: 1 }),
        await startBlackbox({ name: 'blackbox_exporter', module, targets }),
        inWorker('bare net.connect', './bare-tcp.ts', what),
      ];
    },
  };
}

const send = 'PING';

export const tcpCases: readonly Case[] = [
  tcpCase('tcp', { settings: {} }, {}),
  tcpCase(
    'tcp-expect',
    { settings: { send: `${send}\n`, expect: { contains: 'PONG' } }, body: `${send}\n` },
    // It sends a line end itself.
    { query_response: [{ send }, { expect: '^PONG' }] },
  ),
];
