/**
 * DNS messages (RFC 1035 section 4, EDNS of RFC 6891): the question as bytes, and the answer as records. What comes is
 * walked through here first, within bounds, since dns-packet does not hold record data to its length; dns-packet then
 * reads the records that this walk found good.
 */
import * as packet from 'dns-packet';
import { dnsTypes, type DnsAnswer, type DnsRecord, type DnsType } from '@highwater/config/kinds.ts';
import { faultError } from '../fault.ts';
import { recordValue } from './dns-value.ts';

/** What we say that we take over UDP: fits every path without fragments (DNS flag day 2020). */
const udpBytes = 1_232;
/** Of one message over UDP; a server that sends more than it was asked for is ill. */
export const maxUdpBytes = 4_096;
/** In all sections of one message together. */
const maxRecords = 1_000;
/** Pointers followed within one name: each of a name's 127 labels may stand elsewhere, but none does. */
const maxPointers = 16;
const maxNameBytes = 255;

const headerBytes = 12;
const typeNumbers: Readonly<Record<DnsType, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  CAA: 257,
};
const typeNames = new Map(dnsTypes.map((type) => [typeNumbers[type], type]));
const optType = 41;
const classIn = 1;

/** As RFC 1035 and RFC 2136 name them. */
const rcodes =
  'NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE'.split(' ');

export interface Asked {
  readonly bytes: Buffer;
  /** Where the question section lies in it. */
  readonly question: Buffer;
  readonly id: number;
}

/** A question to be sent; `id` is 0 to 65535. */
export function encodeQuestion(
  id: number,
  { name, type, recurse }: { readonly name: string; readonly type: DnsType; readonly recurse: boolean },
): Asked {
  const bytes = packet.encode({
    type: 'query',
    id,
    flags: recurse ? packet.RECURSION_DESIRED | packet.AUTHENTIC_DATA : 0,
    questions: [{ name: name.toLowerCase(), type, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: udpBytes,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  // The OPT record is 11 bytes: the root's name, type, class, TTL, no data.
  return { bytes, question: bytes.subarray(headerBytes, bytes.length - 11), id };
}

/**
 * Whether it answers this question: id, QR, opcode and the question itself. Everything else is to be ignored (RFC 5452
 * section 9.1). A server that cannot read EDNS may answer FORMERR with nothing but a header (RFC 6891 section 7).
 */
export function answers(message: Buffer, asked: Asked): boolean {
  if (message.length < headerBytes || message.readUInt16BE(0) !== asked.id) return false;
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) === 0 || (flags & 0x7800) !== 0) return false;
  if (message.readUInt16BE(4) === 0) return message.length === headerBytes && (flags & 15) === 1;
  const section = message.subarray(headerBytes, headerBytes + asked.question.length);
  return message.readUInt16BE(4) === 1 && lowered(section).equals(asked.question);
}

export function isTruncated(message: Buffer): boolean {
  return (message.readUInt16BE(2) & 0x0200) !== 0;
}

export type DnsMessage = Pick<
  DnsAnswer,
  'rcode' | 'authoritative' | 'authenticated' | 'answers' | 'authorities'
>;

/** Reads a message that answers the question. Throws FaultError `target.dns.malformed`. */
export function decodeAnswer(message: Buffer, asked: Asked): DnsMessage {
  const flags = message.readUInt16BE(2);
  const counts = [6, 8, 10].map((at) => message.readUInt16BE(at));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > maxRecords) throw malformed(`${total} records, more than ${maxRecords}`);
  let at = message.readUInt16BE(4) === 0 ? headerBytes : headerBytes + asked.question.length;
  let extended = 0;
  const sections = counts.map((count, section) => {
    const records: DnsRecord[] = [];
    for (let i = 0; i < count; i += 1) {
      if (at === message.length) throw malformed(`fewer records than the ${total} it says`);
      const found = walkRecord(message, at);
      at = found.end;
      if (found.type === optType && section === 2) extended = message.readUInt8(found.data - 6);
      const type = found.class === classIn && section < 2 ? typeNames.get(found.type) : undefined;
      if (type !== undefined) records.push(readRecord(message, type, found));
    }
    return records;
  });
  if (at !== message.length) throw malformed(`${message.length - at} bytes after its last record`);
  const rcode = extended * 16 + (flags & 15);
  return {
    rcode: rcodes[rcode] ?? `RCODE${rcode}`,
    authoritative: (flags & 0x0400) !== 0,
    authenticated: (flags & 0x0020) !== 0,
    answers: sections[0] ?? [],
    authorities: sections[1] ?? [],
  };
}

interface Found {
  readonly start: number;
  readonly type: number;
  readonly class: number;
  /** Where its data begins. */
  readonly data: number;
  readonly end: number;
}

function walkRecord(message: Buffer, start: number): Found {
  const head = walkName(message, start, message.length);
  if (head + 10 > message.length) throw malformed('it ends within a record');
  const data = head + 10;
  const end = data + message.readUInt16BE(head + 8);
  if (end > message.length) throw malformed('data of a record longer than the message');
  return { start, type: message.readUInt16BE(head), class: message.readUInt16BE(head + 2), data, end };
}

/** Names within the data of a record: where the first begins, and how many there are one after another. */
const namesWithin: Readonly<Partial<Record<DnsType, readonly [from: number, names: number]>>> = {
  NS: [0, 1],
  CNAME: [0, 1],
  MX: [2, 1],
  SRV: [6, 1],
  SOA: [0, 2],
};
/** Bytes of data beside names; undefined for data of any length. */
const fixedBytes: Readonly<Partial<Record<DnsType, number>>> = {
  A: 4,
  AAAA: 16,
  NS: 0,
  CNAME: 0,
  MX: 2,
  SRV: 6,
  SOA: 20,
};

function readRecord(message: Buffer, type: DnsType, { start, data, end }: Found): DnsRecord {
  const [from, names] = namesWithin[type] ?? [0, 0];
  let at = data + from;
  for (let i = 0; i < names; i += 1) at = walkName(message, at, end);
  const beside = fixedBytes[type];
  if (beside !== undefined && at - data - from + beside !== end - data) {
    throw malformed(`data of ${end - data} bytes in a record of type ${type}`);
  }
  if (
    type === 'CAA' &&
    (end - data < 3 || data + 2 + message.readUInt8(data + 1) > end || message[data + 1] === 0)
  ) {
    throw malformed('a CAA record whose tag does not fit');
  }
  let record: packet.Answer;
  try {
    record = decoder.decode(message.subarray(0, end), start);
  } catch (thrown) {
    throw malformed(thrown instanceof Error ? thrown.message : 'a record that cannot be read');
  }
  return {
    name: readName(record.name),
    type,
    // RFC 2181 section 8: with the highest bit set it is 0.
    ttlSeconds: 'ttl' in record && record.ttl !== undefined && record.ttl < 0x8000_0000 ? record.ttl : 0,
    value: recordValue(record, readName),
  };
}

/** Exported by the library, but not in its types. */
const { answer: decoder } = packet as unknown as {
  answer: { decode(from: Buffer, offset: number): packet.Answer };
};

/**
 * Goes through a name and gives where it ends in place. Its labels must lie before `limit`, pointers lead backwards,
 * so that no name is without end.
 */
function walkName(message: Buffer, start: number, limit: number): number {
  let at = start;
  let end: number | undefined;
  let within = limit;
  let least = start;
  let bytes = 1;
  for (let pointers = 0; ;) {
    if (at >= within) throw malformed('a name that does not end');
    const length = message.readUInt8(at);
    if (length === 0) return end ?? at + 1;
    if (length >= 0xc0) {
      if (at + 2 > within) throw malformed('a name that does not end');
      const to = message.readUInt16BE(at) & 0x3fff;
      if (to >= least || to < headerBytes) throw malformed('a name with a pointer that does not lead back');
      if ((pointers += 1) > maxPointers) throw malformed(`a name of over ${maxPointers} pointers`);
      end ??= at + 2;
      within = message.length;
      at = least = to;
    } else if (length > 63) {
      throw malformed('a name with a label of an unknown kind');
    } else {
      if ((bytes += length + 1) > maxNameBytes) throw malformed(`a name of over ${maxNameBytes} bytes`);
      at += length + 1;
    }
  }
}

/** Lower-case, without the last dot; host names and the like are printable ASCII, so anything else is refused. */
function readName(name: string): string {
  if (!/^[\x21-\x7e]+$/.test(name)) throw malformed('a name with characters that no name here may have');
  return name === '.' ? name : name.toLowerCase();
}

function lowered(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)));
}

function malformed(because: string) {
  return faultError('target.dns.malformed', because);
}
