/** A name server that answers with whatever it is told to, byte by byte, over UDP and TCP on one port. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type Served, serveTcp } from './servers.ts';

export interface FakeNameServer extends AsyncDisposable {
  readonly port: number;
  /** Questions that came over UDP so far. */
  readonly questions: readonly Buffer[];
}

/** `udp` gives the datagrams sent for the n-th question (from 0); without `tcp` that port is closed. */
export function serveDns(udp: OverUdp, tcp?: OverTcp): Promise<FakeNameServer> {
  return onOneNumber(() => serveOnce(udp, tcp));
}

/** Starts what needs one number for TCP and UDP, which may be taken between the two: then with another. */
async function onOneNumber<T>(start: () => Promise<T>, tries = 5): Promise<T> {
  try {
    return await start();
  } catch (thrown) {
    const taken = thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE';
    if (!taken || tries === 1) throw thrown;
    return onOneNumber(start, tries - 1);
  }
}

type OverUdp = (question: Buffer, n: number) => readonly Buffer[];
type OverTcp = (question: Buffer, socket: Socket) => void;

async function serveOnce(udp: OverUdp, tcp?: OverTcp): Promise<FakeNameServer> {
  const stream: Served = await serveTcp((socket) => {
    socket.once('data', (bytes: Buffer) => tcp?.(bytes.subarray(2), socket));
  });
  if (!tcp) await stream[Symbol.asyncDispose]();
  const questions: Buffer[] = [];
  const socket = createSocket('udp4').on('message', (question, from) => {
    questions.push(question);
    for (const answer of udp(question, questions.length - 1)) socket.send(answer, from.port, from.address);
  });
  socket.bind(stream.port, '127.0.0.1');
  try {
    await once(socket, 'listening');
  } catch (thrown) {
    socket.close();
    if (tcp) await stream[Symbol.asyncDispose]();
    throw thrown;
  }
  return {
    port: stream.port,
    questions,
    async [Symbol.asyncDispose]() {
      socket.close();
      if (tcp) await stream[Symbol.asyncDispose]();
    },
  };
}

export interface Packet {
  readonly id?: number;
  /** QR and AA by default. */
  readonly flags?: number;
  /** Of the four sections; those of the answer follow from `answers`. */
  readonly counts?: readonly [questions: number, answers: number, authorities: number, additionals: number];
  /** The one asked by default. */
  readonly question?: Buffer;
  readonly answers?: readonly Buffer[];
  /** After the records. */
  readonly rest?: Buffer;
}

/** An answer to a question, right where nothing else is said. The question's name is at offset 12. */
export function packetFor(asked: Buffer, packet: Packet = {}): Buffer {
  const answers = packet.answers ?? [];
  const header = Buffer.alloc(12);
  const [questions, ...counts] = packet.counts ?? [1, answers.length, 0, 0];
  [packet.id ?? asked.readUInt16BE(0), packet.flags ?? 0x8400, questions, ...counts].forEach((value, index) =>
    header.writeUInt16BE(value, index * 2),
  );
  // Behind it is an OPT record of 11 bytes.
  const question = packet.question ?? asked.subarray(12, asked.length - 11);
  return Buffer.concat([header, question, ...answers, packet.rest ?? Buffer.alloc(0)]);
}

/** The name of the question, by a pointer. */
export const own = Buffer.from([0xc0, 12]);

/** A record as bytes; `length` says another length of the data than it has. */
export function record(
  type: number,
  data: Buffer | readonly number[],
  more: { name?: Buffer; ttl?: number; kind?: number; length?: number } = {},
): Buffer {
  const bytes = Buffer.from(data);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(more.kind ?? 1, 2);
  fixed.writeUInt32BE(more.ttl ?? 60, 4);
  fixed.writeUInt16BE(more.length ?? bytes.length, 8);
  return Buffer.concat([more.name ?? own, fixed, bytes]);
}

/** A name in labels, each of any bytes. */
export function nameOf(...labels: readonly (string | Buffer)[]): Buffer {
  const parts = labels.map((label) => Buffer.from(label));
  return Buffer.concat([...parts.flatMap((part) => [Buffer.from([part.length]), part]), Buffer.from([0])]);
}
