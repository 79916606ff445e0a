/** JSON-RPC over a WebSocket as checks use it: replies are matched by id while pushes come between. */
import type { CheckContext, SocketLink } from '@highwater/config/kinds.ts';
import { faultError } from '../fault.ts';
import { noPhases } from '../io/stopwatch.ts';
import type { Ask, Place } from './ask.ts';
import { isRecord, readJson } from './json.ts';
import { openRpc, readAnswer } from './rpc.ts';

let lastId = Math.floor(Math.random() * 1_000_000_000);

/** A question by GET goes over HTTP to the same host. */
export function openSocketRpc(ctx: CheckContext, { path, port }: Place): Ask {
  let link: SocketLink | undefined;
  let waited = { last: 0, all: 0 };
  const open = async () =>
    (link ??= await ctx.socket({ ...(path ? { path } : {}), ...(port ? { port } : {}) }));
  return {
    async call(method, params) {
      const way = await open();
      const id = (lastId += 1);
      const from = performance.now();
      way.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      for (;;) {
        const parsed = readJson(await way.next(ctx.signal));
        if ('because' in parsed) throw faultError('target.rpc.json', parsed.because);
        if (!isRecord(parsed.value) || parsed.value['id'] !== id) continue;
        const latencyTenths = Math.round((performance.now() - from) * 10);
        waited = { last: latencyTenths, all: waited.all + latencyTenths };
        return { ...readAnswer(parsed.value, id), latencyTenths };
      }
    },
    get: (at) => openRpc(ctx, { path, port }).get(at),
    phases: (of) => ({ ...(link?.phases ?? noPhases), transfer: waited[of] }),
  };
}
