/** The data of records as text: one spelling for each value, that of what is answered and of what an operator writes. Pure. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { Answer, CaaData, MxData, SoaData, SrvData } from 'dns-packet';
import type { DnsType } from '@highwater/config/kinds.ts';

/** `readName` makes a name of an answer our own, or throws. */
export function recordValue(record: Answer, readName: (name: string) => string): string {
  // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- the library reads more types than we ask for
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return normalAddress(record.data);
    case 'CNAME':
    case 'NS':
      return readName(record.data);
    case 'TXT':
      return texts(record.data);
    case 'MX':
      return mxValue(record.data, readName);
    case 'SRV':
      return srvValue(record.data, readName);
    case 'CAA':
      return caaValue(record.data);
    case 'SOA':
      return soaValue(record.data, readName);
    default:
      throw new Error(`no reader for ${record.type}`);
  }
}

function mxValue({ preference = 0, exchange }: MxData, readName: (name: string) => string): string {
  return `${preference} ${readName(exchange)}`;
}

function srvValue(
  { priority = 0, weight = 0, port, target }: SrvData,
  readName: (name: string) => string,
): string {
  return `${priority} ${weight} ${port} ${readName(target)}`;
}

function caaValue({ flags = 0, tag, value }: CaaData): string {
  return `${flags} ${printable(tag.toLowerCase())} "${printable(value)}"`;
}

function soaValue(soa: SoaData, readName: (name: string) => string): string {
  const numbers = [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum];
  return [readName(soa.mname), readName(soa.rname), ...numbers.map(Number)].join(' ');
}

/** The serial number in the value of an SOA. */
export function serialOf(value: string): number {
  return Number(value.split(' ')[2]);
}

function texts(data: string | Buffer | readonly (string | Buffer)[]): string {
  const parts = Array.isArray(data) ? (data as readonly (string | Buffer)[]) : [data as string | Buffer];
  const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  const text = bytes.toString('utf8');
  // What is no UTF-8 keeps its bytes apart, so that two values are never one.
  return Buffer.from(text).equals(bytes)
    ? printable(text)
    : printable(bytes.toString('latin1'), /[^\x20-\x7e]/g);
}

/** Control characters and the like as `\DDD`, as in a zone file. */
function printable(text: string, odd = /[\p{C}\p{Zl}\p{Zp}]/gu): string {
  return text.replace(odd, (character) =>
    [...Buffer.from(character, character <= '\xff' ? 'latin1' : 'utf8')]
      .map((byte) => `\\${String(byte).padStart(3, '0')}`)
      .join(''),
  );
}

function normalAddress(address: string): string {
  if (!isIPv6(address)) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

const whole = (text: string | undefined, max: number): boolean =>
  text !== undefined && /^(0|[1-9][0-9]{0,9})$/.test(text) && Number(text) <= max;

const label = /^(?=.{1,63}$)([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?|\*)$/;

/** A name as it is written, in our spelling; undefined for what is none. The root is `.`. */
export function normalName(written: string): string | undefined {
  if (written === '.') return written;
  const name = written.toLowerCase().replace(/\.$/, '');
  return name.length <= 253 && name.split('.').every((each) => label.test(each)) ? name : undefined;
}

/** A value as an operator writes it, in the spelling of `recordValue`; undefined for what is none of that type. */
export function normalValue(type: DnsType, written: string): string | undefined {
  const fields = written.trim().split(/\s+/);
  const [first, second, third] = fields;
  const name = normalName(fields.at(-1) ?? '');
  switch (type) {
    case 'A':
      return isIPv4(written) ? written : undefined;
    case 'AAAA':
      return isIPv6(written) && !written.includes('%') ? normalAddress(written) : undefined;
    case 'CNAME':
    case 'NS':
      return fields.length === 1 ? name : undefined;
    case 'TXT':
      return written;
    case 'MX':
      return fields.length === 2 && whole(first, 65_535) && name !== undefined
        ? `${first} ${name}`
        : undefined;
    case 'SRV': {
      const good = fields.length === 4 && fields.slice(0, 3).every((field) => whole(field, 65_535));
      return good && name !== undefined ? `${first} ${second} ${third} ${name}` : undefined;
    }
    case 'CAA': {
      const [, flags, tag = '', value] = /^(\d+) +([A-Za-z0-9]+) +"(.*)"$/.exec(written.trim()) ?? [];
      return whole(flags, 255) ? `${flags} ${tag.toLowerCase()} "${value}"` : undefined;
    }
    case 'SOA': {
      const [mname, rname] = [normalName(first ?? ''), normalName(second ?? '')];
      const numbers = fields.slice(2);
      const good = numbers.length === 5 && numbers.every((field) => whole(field, 4_294_967_295));
      return good && mname !== undefined && rname !== undefined
        ? [mname, rname, ...numbers].join(' ')
        : undefined;
    }
  }
}
