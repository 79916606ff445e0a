/**
 * Which addresses a check may connect to. Pure: the decision is made on the address that is connected to,
 * after resolving, so that a DNS answer that changes between check and use gains nothing.
 * Sources: IANA special-purpose registries (RFC 6890 and updates) and the clouds' own metadata addresses.
 */
import { BlockList, isIP } from 'node:net';

/** What the probe consents to: CIDRs, or `config`: whatever its configuration allows. */
export interface Consent {
  readonly all: boolean;
  readonly list: BlockList;
}

export type Reachability = 'public' | 'private' | 'metadata';

const metadata = blockListOf([
  // Link-local serves instance metadata on every large cloud (169.254.169.254, 169.254.170.2, …).
  '169.254.0.0/16',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  'fd00:ec2::/32',
  'fd20:ce::/32',
]);

const reserved = blockListOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);

// Of IPv6 only global unicast is public, and of that not what carries or stands for something else.
const globalUnicast = blockListOf(['2000::/3']);
const notGlobal6 = blockListOf(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

/**
 * Reads `10.0.0.0/8`, a single address, or `config`.
 * Throws an Error that names the value and the remedy.
 */
export function parseConsent(values: readonly string[]): Consent {
  return {
    all: values.includes('config'),
    list: blockListOf(values.filter((value) => value !== 'config')),
  };
}

/** Addresses come again and again; each look through the lists costs a hundredth of a check. */
const known = new Map<string, Reachability>();
const maxKnown = 10_000;

/** What kind of address it is; embedded IPv4 (mapped, NAT64) counts as that IPv4. */
export function classify(address: string): Reachability {
  let kind = known.get(address);
  if (kind !== undefined) return kind;
  kind = lookUp(address);
  if (known.size >= maxKnown) known.clear();
  known.set(address, kind);
  return kind;
}

function lookUp(address: string): Reachability {
  const bare = address.replace(/%.*$/, '');
  const family = isIP(bare);
  if (family === 0) return 'private';
  const inner = family === 6 ? embedded4(bare) : undefined;
  if (inner !== undefined) return classify(inner);
  const type = family === 6 ? 'ipv6' : 'ipv4';
  if (metadata.check(bare, type)) return 'metadata';
  if (family === 4) return reserved.check(bare, type) ? 'private' : 'public';
  return globalUnicast.check(bare, type) && !notGlobal6.check(bare, type) ? 'public' : 'private';
}

/** Why an address may not be connected to; undefined when it may. */
export function refusal(address: string, allowPrivate: boolean, consent: Consent): string | undefined {
  const kind = classify(address);
  if (kind === 'public') return undefined;
  if (kind === 'metadata') return `${address} is a cloud metadata address`;
  if (!allowPrivate) return `${address} is private and the monitor does not allow that`;
  if (consent.all || consents(address, consent.list)) return undefined;
  return `${address} is private and this probe does not consent to it`;
}

function consents(address: string, list: BlockList): boolean {
  const bare = address.replace(/%.*$/, '');
  const family = isIP(bare);
  if (family === 0) return false;
  const inner = family === 6 ? embedded4(bare) : bare;
  // The unspecified addresses lead to this machine, whatever network they are written in.
  if (inner !== undefined) return list.check(inner === '0.0.0.0' ? '127.0.0.1' : inner, 'ipv4');
  return list.check(groupsOf(bare).every((group) => group === 0) ? '::1' : bare, 'ipv6');
}

/** The IPv4 address inside `::ffff:a.b.c.d`, `::a.b.c.d` or 64:ff9b::/96. */
function embedded4(address: string): string | undefined {
  const groups = groupsOf(address);
  const head = groups.slice(0, 6).join(':');
  const [high = 0, low = 0] = groups.slice(6);
  const mapped = head === '0:0:0:0:0:65535' || head === `100:65435:0:0:0:0`;
  const compatible = head === '0:0:0:0:0:0' && high !== 0;
  if (!mapped && !compatible) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight groups of a valid IPv6 address as numbers. */
function groupsOf(address: string): number[] {
  const plain = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a: string, b: string, c: string, d: string) =>
      [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((n) => n.toString(16)).join(':'),
  );
  const [left = '', right] = plain.split('::');
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const before = parse(left);
  const after = right === undefined ? [] : parse(right);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function blockListOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const family = isIP(address);
    const width = family === 6 ? 128 : 32;
    const length = bits === undefined ? width : Number(bits);
    if (family === 0 || !/^\d{0,3}$/.test(bits ?? '') || bits === '' || length > width) {
      throw new Error(
        `--allow-private: '${cidr}' is not a network; write one such as 10.0.0.0/8 or fd00::/8`,
      );
    }
    list.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
