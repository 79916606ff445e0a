/** A JSON-RPC server that answers as told, right or wrong. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Served, serveHttp } from './servers.ts';

export interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

/** Text is sent as it is, everything else as JSON; a function takes the answer over. */
export type RpcAnswer =
  string | Readonly<Record<string, unknown>> | readonly unknown[] | ((response: ServerResponse) => void);

export async function serveRpc(
  answer: (call: RpcCall) => RpcAnswer,
): Promise<Served & { readonly calls: RpcCall[] }> {
  const calls: RpcCall[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call = JSON.parse(Buffer.concat(chunks).toString()) as RpcCall;
    calls.push(call);
    const said = answer(call);
    if (typeof said === 'function') return said(response);
    response.setHeader('content-type', 'application/json');
    response.end(typeof said === 'string' ? said : JSON.stringify(said));
  };
  const served = await serveHttp((request, response) => void handle(request, response));
  return { ...served, calls };
}

export const hash = (digit: string) => `0x${digit.repeat(64)}`;

/** What a good EVM node answers; `blockAt` in Unix ms. */
export function goodEvm(
  { method, params }: RpcCall,
  { height = 100, blockAt = Date.now(), chainId = 31_337 } = {},
): unknown {
  const [which] = params as unknown[];
  const timestamp = `0x${Math.floor(blockAt / 1_000).toString(16)}`;
  if (method === 'eth_chainId') return `0x${chainId.toString(16)}`;
  if (method === 'eth_syncing') return false;
  if (method !== 'eth_getBlockByNumber') return undefined;
  if (which === '0x0') return { number: '0x0', hash: hash('a'), timestamp: '0x0' };
  return { number: `0x${height.toString(16)}`, hash: hash('b'), timestamp };
}
