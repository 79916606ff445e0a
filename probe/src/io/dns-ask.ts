/**
 * One question to one name server: over UDP, asked again once when no answer comes, and over TCP when the answer was
 * truncated. What does not answer the question is ignored and not believed; all else ends in an answer or a fault.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { type DnsAnswer, type DnsQuestion, FaultError } from '@highwater/config/kinds.ts';
import type { Ending } from '../deadline.ts';
import { fault, faultError, faultOf, isTimeout } from '../fault.ts';
import { openTcp } from './connect.ts';
import {
  answers,
  type Asked,
  decodeAnswer,
  encodeQuestion,
  isTruncated,
  maxUdpBytes,
} from './dns-message.ts';
import { asError } from './outside.ts';
import { type Stopwatch, stopwatch, totalTenths } from './stopwatch.ts';

/** What is ignored before a server, or who pretends to be it, is no longer listened to. */
const maxStrays = 100;
/** Over TCP: one message of the largest size, and as much again that answers something else. */
const maxTcpBytes = 2 * 65_537;

export interface AskLimits {
  /** The deadline. */
  readonly signal: Ending;
  /** When the question is sent again over UDP. */
  readonly againAfterMs: number;
  /** Milliseconds that never step. */
  readonly monotonic: () => number;
}

/** Does not ask whether the address may be reached. Rejects with FaultError, or when the program ends with its reason. */
export async function askServer(question: DnsQuestion, limits: AskLimits): Promise<DnsAnswer> {
  const watch = stopwatch('firstByte', limits.monotonic);
  const asked = encodeQuestion(randomInt(65_536), question);
  let transport: DnsAnswer['transport'] = 'udp';
  try {
    let message = await overUdp(question, asked, limits);
    if (isTruncated(message)) {
      transport = 'tcp';
      message = await overTcp(question, asked, limits.signal, watch);
      if (isTruncated(message)) throw faultError('target.dns.malformed', 'truncated over TCP too');
    }
    const phases = watch.phases();
    return { ...decodeAnswer(message, asked), transport, phases, latencyTenths: totalTenths(phases) };
  } catch (thrown) {
    if (limits.signal.aborted && !isTimeout(limits.signal.reason)) throw asError(limits.signal.reason);
    const found = dnsFault(thrown, transport);
    throw found ? new FaultError(found, watch.phases()) : asError(thrown);
  }
}

/** Undefined for a bug. */
function dnsFault(thrown: unknown, transport: DnsAnswer['transport']) {
  if (thrown instanceof FaultError) return thrown.fault;
  const over = transport === 'tcp' ? 'over TCP, after a truncated answer' : undefined;
  if (isTimeout(thrown)) return fault('target.dns.timeout', over);
  if (!(thrown instanceof Error && 'code' in thrown)) return undefined;
  const found = faultOf(thrown, 'connect');
  return over === undefined ? found : { ...found, detail: `${found.detail ?? ''} ${over}`.trim() };
}

/** The first datagram that answers. Connected, so that the system drops what other addresses send. */
function overUdp(
  { address, port }: DnsQuestion,
  asked: Asked,
  { signal, againAfterMs }: AskLimits,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(asError(signal.reason));
    const socket: UdpSocket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
    let strays = 0;
    const end = (thrown: unknown, message?: Buffer) => {
      clearTimeout(again);
      signal.removeEventListener('abort', aborted);
      socket
        .removeAllListeners('message')
        .on('error', () => undefined)
        .close();
      if (message) resolve(message);
      else reject(asError(thrown));
    };
    const aborted = () => end(signal.reason);
    const send = () => socket.send(asked.bytes);
    let again: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', aborted, { once: true });
    socket
      .on('message', (message) => {
        if (!answers(message, asked)) {
          strays += 1;
          if (strays >= maxStrays)
            end(faultError('target.dns.malformed', `${maxStrays} datagrams that answer something else`));
        } else if (message.length > maxUdpBytes) {
          end(faultError('target.dns.malformed', `a datagram of ${message.length} bytes`));
        } else {
          end(undefined, message);
        }
      })
      .once('error', end)
      .connect(port, address, () => {
        send();
        again = setTimeout(send, againAfterMs);
      });
  });
}

/** The first message that answers, each after its length in two bytes (RFC 1035 section 4.2.2). */
async function overTcp(
  { address, port }: DnsQuestion,
  asked: Asked,
  signal: Ending,
  watch: Stopwatch,
): Promise<Buffer> {
  watch.start('connect');
  const socket = await openTcp(address, port, signal);
  watch.start('firstByte');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(asked.bytes.length);
  try {
    socket.write(Buffer.concat([length, asked.bytes]));
    return await firstAnswer(socket, asked, signal, watch);
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

function firstAnswer(socket: Socket, asked: Asked, signal: Ending, watch: Stopwatch): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let taken = Buffer.alloc(0);
    let total = 0;
    const end = (thrown: unknown, message?: Buffer) => {
      signal.removeEventListener('abort', aborted);
      socket.removeAllListeners('data').removeAllListeners('end');
      if (message) resolve(message);
      else reject(asError(thrown));
    };
    const aborted = () => end(signal.reason);
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    socket
      .on('data', (chunk: Buffer) => {
        if (total === 0) watch.start('transfer');
        total += chunk.length;
        taken = Buffer.concat([taken, chunk]);
        while (taken.length >= 2 && taken.length >= 2 + taken.readUInt16BE(0)) {
          const message = taken.subarray(2, 2 + taken.readUInt16BE(0));
          if (answers(message, asked)) return end(undefined, message);
          taken = taken.subarray(2 + message.length);
        }
        if (total > maxTcpBytes)
          end(faultError('target.dns.malformed', `${maxTcpBytes} bytes over TCP that answer something else`));
      })
      .on('end', () =>
        end(faultError('target.dns.malformed', `closed after ${total} bytes over TCP, within its answer`)),
      )
      .once('error', end);
  });
}
