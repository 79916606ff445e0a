/** An EVM node over WebSocket, down to the bytes: it answers well until told to answer otherwise. */
import type { Socket } from 'node:net';
import type { Served } from './servers.ts';
import { hash } from './rpc.ts';
import { serveRaw, switching, text } from './sockets.ts';

export interface EvmCall {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Text is sent as it is, bytes too, everything else as JSON; each in a frame of its own unless they are bytes. */
export type Said = unknown[] | ((socket: Socket, call: EvmCall) => void);

export interface EvmServer extends Served {
  readonly calls: EvmCall[];
  readonly sockets: ReadonlySet<Socket>;
}

export function header(
  height: number,
  name = 'b',
  over: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    number: `0x${height.toString(16)}`,
    hash: hash(name),
    parentHash: hash('a'),
    timestamp: `0x${Math.floor(Date.now() / 1_000).toString(16)}`,
    ...over,
  };
}

export function push(head: unknown, subscription: unknown = '0x1'): unknown {
  return { jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result: head } };
}

export function goodAnswer({ id, method }: EvmCall): unknown {
  const result = method === 'eth_subscribe' ? '0x1' : header(100);
  return { jsonrpc: '2.0', id, result };
}

/** `said` gives what is sent for a call instead of the good answer; undefined for that. */
export async function serveEvmSocket(
  options: {
    readonly upgrade?: (socket: Socket, head: string) => void;
    readonly said?: (call: EvmCall) => Said | undefined;
    /** Takes the bytes instead of the socket. */
    readonly write?: (socket: Socket, bytes: Buffer) => void;
  } = {},
): Promise<EvmServer> {
  const calls: EvmCall[] = [];
  const sockets = new Set<Socket>();
  const write = options.write ?? ((socket, bytes) => void socket.write(bytes));
  const upgrade =
    options.upgrade ?? ((socket: Socket, head: string) => write(socket, Buffer.from(switching(head))));
  const served = await serveRaw({
    upgrade(socket, head) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      upgrade(socket, head);
    },
    received(socket, payload) {
      const call = JSON.parse(payload) as EvmCall;
      calls.push(call);
      const said = options.said?.(call) ?? [goodAnswer(call)];
      if (typeof said === 'function') return said(socket, call);
      for (const each of said) write(socket, framed(each));
    },
  });
  return { ...served, calls, sockets };
}

function framed(each: unknown): Buffer {
  if (Buffer.isBuffer(each)) return each;
  return text(typeof each === 'string' ? each : JSON.stringify(each));
}
