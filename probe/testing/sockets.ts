/** Small real WebSocket servers for tests: the library's, and raw ones for what no library would send. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Served, serveHttp, serveTcp } from './servers.ts';

export interface ServedSockets extends Served {
  readonly clients: ReadonlySet<WebSocket>;
}

/** Speaks WebSocket on every path, and answers plain requests with 426. */
export async function serveSockets(
  opened: (socket: WebSocket, path: string) => void,
  options: { readonly protocols?: (offered: Set<string>) => string | false } = {},
): Promise<ServedSockets> {
  const sockets = new WebSocketServer({
    noServer: true,
    ...(options.protocols ? { handleProtocols: options.protocols } : {}),
  });
  const served = await serveHttp((_, response) => void response.writeHead(426).end(), {
    upgrade: (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (way) => {
        way.on('error', () => undefined);
        opened(way, request.url ?? '');
      }),
  });
  return { ...served, clients: sockets.clients };
}

/** The accept key of RFC 6455 section 4.2.2. */
export function acceptKey(request: string): string {
  const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1] ?? '';
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The answer to an upgrade as text, with further header lines. */
export function switching(request: string, ...more: readonly string[]): string {
  const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptKey(request)}`];
  return ['HTTP/1.1 101 Switching Protocols', ...lines, ...more, '', ''].join('\r\n');
}

/** One frame as a server sends it. `first` is FIN, RSV and opcode: 0x81 is a whole text. */
export function frame(first: number, payload: string | Buffer, masked = false): Buffer {
  const body = Buffer.from(payload);
  const bit = masked ? 0x80 : 0;
  const length =
    body.length < 126
      ? Buffer.from([first, bit | body.length])
      : body.length < 65_536
        ? Buffer.from([first, bit | 126, body.length >> 8, body.length & 255])
        : Buffer.concat([Buffer.from([first, bit | 127]), wide(body.length)]);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([length, Buffer.alloc(masked ? 4 : 0), body]);
}

function wide(length: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(length));
  return out;
}

export function text(payload: string): Buffer {
  return frame(0x81, payload);
}

export function closeFrame(code: number, reason = ''): Buffer {
  return frame(0x88, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));
}

/** The texts that a client has sent, frame by frame; a test's client sends short unfragmented ones. */
export function readFrames(buffer: Buffer, each: (payload: string) => void): Buffer {
  let rest = buffer;
  for (;;) {
    const short = (rest[1] ?? 0) & 127;
    const lengthAt = short === 126 ? 4 : 2;
    const length = short === 126 ? (rest.length >= 4 ? rest.readUInt16BE(2) : Infinity) : short;
    if (rest.length < lengthAt + 4 + length || rest.length < 2) return rest;
    const mask = rest.subarray(lengthAt, lengthAt + 4);
    const body = Buffer.from(rest.subarray(lengthAt + 4, lengthAt + 4 + length));
    for (let i = 0; i < body.length; i += 1) body[i] = (body[i] ?? 0) ^ (mask[i % 4] ?? 0);
    if (((rest[0] ?? 0) & 15) === 1) each(body.toString());
    rest = rest.subarray(lengthAt + 4 + length);
  }
}

/** What a raw server does on one connection. */
export interface RawScript {
  /** The upgrade was asked for; `head` is the request's text. */
  readonly upgrade: (socket: Socket, head: string) => void;
  /** A text came. */
  readonly received?: (socket: Socket, payload: string) => void;
}

/** Speaks to each connection byte by byte. */
export function serveRaw({ upgrade, received }: RawScript): Promise<Served> {
  return serveTcp((socket) => {
    let before = Buffer.alloc(0);
    let upgraded = false;
    // What is written apart is to leave at once.
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      before = Buffer.concat([before, chunk]);
      const end = upgraded ? 0 : before.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!upgraded) {
        upgraded = true;
        const head = before.subarray(0, end).toString();
        before = before.subarray(end + 4);
        upgrade(socket, head);
      }
      before = Buffer.from(readFrames(before, (payload) => received?.(socket, payload)));
    });
  });
}
