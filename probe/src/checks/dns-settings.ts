/** What an operator writes for a dns check, and all that can be wrong with it. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { durationBetween, flag, key, wholeBetween } from '@highwater/config/fields.ts';
import { type DnsType, dnsTypes, type Place, type Trouble } from '@highwater/config/kinds.ts';
import { normalName, normalValue } from '../io/dns-value.ts';

/** How many name servers one check asks at most, counted by address. */
export const maxServers = 16;
const maxValues = 100;

/** Where a name server is, by name or address. */
export interface WrittenServer {
  readonly host: string;
  readonly port?: number;
}

const serverMessage =
  'not a name server, write an address or a name, with a port where it is not `port`: 192.0.2.53, 192.0.2.53:5353, "[2001:db8::53]:5353" or ns1.example.com';

function parseServer(text: string): WrittenServer | undefined {
  if (isIP(text) !== 0) return text.includes('%') ? undefined : { host: text };
  const [, bracketed, plain, written] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const port = written === undefined ? undefined : Number(written);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const host =
    bracketed !== undefined ? (isIP(bracketed) === 6 ? bracketed : undefined) : hostOf(plain ?? '');
  return host === undefined ? undefined : { host, ...(port === undefined ? {} : { port }) };
}

function hostOf(text: string): string | undefined {
  if (isIP(text) === 4) return text;
  // Four numbers that are no address are a mistake, not a name.
  return /(^|\.)[0-9]+$/.test(text) || text === '.' ? undefined : normalName(text);
}

const server = z
  .string({ error: (issue) => (issue.input === undefined ? undefined : serverMessage) })
  .max(300, serverMessage)
  .transform((text, ctx) => {
    const found = parseServer(text);
    if (!found) ctx.addIssue(serverMessage);
    return found ?? { host: '' };
  });

const nameMessage =
  'not a name, write one such as rpc.example.com; letters beyond ASCII as xn--…, no address';
const name = z
  .string({ error: (issue) => (issue.input === undefined ? undefined : nameMessage) })
  .max(254, nameMessage)
  .transform((text, ctx) => {
    const found = isIP(text) === 0 ? normalName(text) : undefined;
    if (found === undefined) ctx.addIssue(nameMessage);
    return found ?? '';
  });

const values = z
  .array(z.string().min(1, 'empty, write a value').max(4_000, 'too long, write at most 4000 characters'))
  .min(1, 'an empty list, write at least one value')
  .max(maxValues, `too many, write at most ${maxValues}`);

const second = 1_000;
const ttlLimit = durationBetween(0, 2_147_483_647_000).refine(
  (ms) => ms % second === 0,
  'not whole seconds, write such as 30s',
);

const isOf = (list: readonly string[], message: string) => ({
  error: (issue: { input?: unknown }) =>
    issue.input === undefined ? undefined : `${message} ${list.join(', ')}`,
});
const rcodes = ['NOERROR', 'NXDOMAIN', 'REFUSED', 'SERVFAIL'] as const;

const examples: Readonly<Record<DnsType, string>> = {
  A: '192.0.2.1',
  AAAA: '2001:db8::1',
  CNAME: 'eu.example.com',
  NS: 'ns1.example.com',
  TXT: 'the text without quotes',
  MX: '10 mail.example.com',
  SRV: '0 5 443 rpc.example.com',
  CAA: '0 issue "letsencrypt.org"',
  SOA: 'ns1.example.com hostmaster.example.com 2026010100 3600 600 604800 60',
};

export const settings = z
  .strictObject({
    name: key(
      name.optional(),
      "What is asked for; the host of the node's URL when left out.",
      'rpc.example.com',
    ),
    type: key(
      z.enum(dnsTypes, isOf(dnsTypes, 'not a type that can be asked for, write one of')).default('A'),
      'The type of record.',
      'AAAA',
    ),
    servers: key(
      z
        .array(server)
        .min(1, 'an empty list, name a server or leave the key out')
        .max(maxServers, `too many, write at most ${maxServers}`)
        .refine(
          (list) => new Set(list.map((each) => JSON.stringify(each))).size === list.length,
          'a server twice, write it once',
        )
        .optional(),
      "Each of them is asked. When left out: the zone's own name servers, as the probe's resolver finds them. `family` is that by which they are asked, not that of the record.",
      ['192.0.2.53', 'ns2.example.com'],
    ),
    port: key(wholeBetween(1, 65_535).default(53), 'The port of servers that are written without one.', 5353),
    exact: key(
      values.optional(),
      'The records that there must be, these and no others; written as in a zone file, a TXT with quotes or without.',
      ['192.0.2.10', '192.0.2.20'],
    ),
    contains: key(values.optional(), 'Records that must be among them.', ['192.0.2.10']),
    count: key(
      wholeBetween(1, 1_000).optional(),
      'How many records there must be at least; 1 when nothing else is expected.',
      2,
    ),
    ttl: key(
      z
        .strictObject({
          min: key(ttlLimit.optional(), 'At least.', '30s'),
          max: key(ttlLimit.optional(), 'At most.', '5m'),
        })
        .refine(({ min, max }) => (min ?? max) !== undefined, 'empty, write min or max')
        .refine(({ min = 0, max = Infinity }) => min <= max, 'min is above max, exchange them')
        .optional(),
      'How long resolvers may keep the answer, as the name servers of the zone say.',
      { min: '30s', max: '5m' },
    ),
    aa: key(
      flag.optional(),
      'Whether each must answer as a server of the zone (AA). When left out: without `servers`, or with `ttl` or `soaEqual`, it must; other servers are asked as resolvers.',
      true,
    ),
    soaEqual: key(
      flag.default(false),
      'Whether all must have the same serial number of the zone. It differs for a moment after each change.',
      true,
    ),
    rcode: key(
      z.enum(rcodes, isOf(rcodes, 'not a result that can be expected, write one of')).default('NOERROR'),
      'What the result must be; NXDOMAIN for a name that must not exist.',
      'NXDOMAIN',
    ),
    dnssec: key(
      z
        .literal('ad', {
          error: (issue) => (issue.input === undefined ? undefined : 'not ad, write it or leave the key out'),
        })
        .optional(),
      '`ad`: resolvers under `servers` must say that DNSSEC holds.',
      'ad',
    ),
    slow: key(durationBetween(1, 600_000).optional(), 'Slower than this is degraded.', '200ms'),
  })
  .superRefine((written, ctx) => {
    const { type, exact, contains, count, ttl, rcode, aa, dnssec, servers, soaEqual } = written;
    const wrong = (path: string, message: string) => ctx.addIssue({ code: 'custom', path: [path], message });
    for (const [path, list] of Object.entries({ exact, contains })) {
      if (list?.some((value) => normalValue(type, value) === undefined))
        wrong(path, `a value that is not of type ${type}, write such as ${examples[type]}`);
    }
    if (exact && (contains ?? count) !== undefined)
      wrong(contains ? 'contains' : 'count', 'said by exact already, remove one of both');
    if (rcode !== 'NOERROR') {
      for (const [path, value] of Object.entries({ exact, contains, count, ttl }))
        if (value !== undefined) wrong(path, `there are no records with ${rcode}, remove it`);
    }
    if (ttl && aa === false)
      wrong('aa', 'resolvers count the time to live down, remove ttl or ask the name servers of the zone');
    if (dnssec && (servers === undefined || (aa ?? (ttl !== undefined || soaEqual))))
      wrong('dnssec', 'said by resolvers alone, write them under servers, without aa, ttl and soaEqual');
  })
  .transform((written) => ({
    ...written,
    aa: written.aa ?? (written.servers === undefined || written.ttl !== undefined || written.soaEqual),
    ...(written.exact ? { exact: normal(written.type, written.exact) } : {}),
    ...(written.contains ? { contains: normal(written.type, written.contains) } : {}),
  }));
export type Settings = z.infer<typeof settings>;

/** A host that is an address has no name to ask for, and servers by address have one family. */
export function troubleWith(written: unknown, { url, family }: Place): Trouble | undefined {
  const { name: asked, servers } = (written ?? {}) as { readonly name?: unknown; readonly servers?: unknown };
  const { hostname } = new URL(url);
  if (
    asked === undefined &&
    (isIP(hostname.replace(/[[\]]/g, '')) !== 0 || normalName(hostname) === undefined)
  )
    return {
      key: 'name',
      message: `the node's URL has an address and no name, write what to ask for as name`,
    };
  if (family === undefined || !Array.isArray(servers)) return undefined;
  const hosts = servers.map((each) => (typeof each === 'string' ? parseServer(each)?.host : undefined));
  const isOther = (host: string | undefined): boolean =>
    host !== undefined && isIP(host) !== 0 && isIP(host) !== family;
  return hosts.length > 0 && hosts.every(isOther)
    ? {
        key: 'servers',
        message: `none of them has an IPv${family} address, which family asks for, write one or leave family out`,
      }
    : undefined;
}

function normal(type: DnsType, list: readonly string[]): string[] {
  return [
    ...new Set(list.flatMap((value) => normalValue(type, type === 'TXT' ? unquoted(value) : value) ?? [])),
  ];
}

/** As in a zone file: `"one " "text"`. What only begins with a quote is taken as it is. */
function unquoted(text: string): string {
  if (!/^"(?:[^"\\]|\\.)*"(?:\s+"(?:[^"\\]|\\.)*")*$/s.test(text)) return text;
  const parts = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, part = '']) => part);
  return parts.join('').replace(/\\(["\\])/g, '$1');
}
