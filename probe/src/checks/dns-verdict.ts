/** What the answers of name servers are worth. Pure. */
import type { Fault } from '@highwater/config/faults.ts';
import type { DnsAnswer, DnsRecord, DnsType, FaultError, Reading } from '@highwater/config/kinds.ts';
import type { Phases } from '@highwater/config/domain.ts';
import { fault } from '../fault.ts';
import { noPhases, totalTenths } from '../io/stopwatch.ts';
import type { Settings } from './dns-settings.ts';

/** Aliases followed within one answer. */
const maxAliases = 8;

/** What one server said. */
export interface Heard {
  /** `ns1.example.com 192.0.2.53`, as details name it. */
  readonly server: string;
  readonly said: DnsAnswer | FaultError;
  /** Where it was asked for: the zone's serial number, or why there is none. */
  readonly serial?: number | FaultError;
}

interface Trouble {
  readonly server: string;
  readonly fault: Fault;
  /** Resolvers take it for the answer; of a server in other trouble they ask the next, so that users see none of it. */
  readonly believed: boolean;
}

export type Wanted = Pick<
  Settings,
  'type' | 'exact' | 'contains' | 'count' | 'ttl' | 'aa' | 'rcode' | 'dnssec' | 'slow' | 'soaEqual'
>;

/**
 * Fails when a server gives an answer that would be believed and is not what is expected, or when none gives one that
 * would be; a server that gives none while another does is degraded.
 */
export function judge(wanted: Wanted, name: string, heard: readonly Heard[]): Reading {
  const judged = heard.map((each) => ({ ...each, ...judgeServer(wanted, name, each) }));
  const troubles: Trouble[] = judged.flatMap(({ server, trouble }) =>
    trouble ? [{ server, ...trouble }] : [],
  );
  const apart = wanted.soaEqual ? serialsApart(heard) : undefined;
  const believed = troubles.filter((each) => each.believed);
  const failing = believed.length > 0 || apart !== undefined || troubles.length === heard.length;
  const slow = failing || troubles.length > 0 ? undefined : tooSlow(wanted.slow, heard);
  const [first] = believed.length > 0 || apart === undefined ? [...believed, ...troubles] : [];
  const found = first ? { ...first.fault, detail: together(first, troubles) } : (apart ?? slow);
  const phases = slowest(heard);
  return {
    outcome: failing ? 'fail' : found ? 'degraded' : 'ok',
    latencyTenths: totalTenths(phases),
    phases,
    facts: factsOf(heard, judged),
    ...(found ? { fault: found } : {}),
  };
}

interface Judged {
  readonly trouble?: Omit<Trouble, 'server'>;
  readonly records?: readonly DnsRecord[];
}

function judgeServer(wanted: Wanted, name: string, { said, serial }: Heard): Judged {
  if (said instanceof Error) return { trouble: { fault: said.fault, believed: false } };
  if (said.rcode !== wanted.rcode) {
    const believed = said.rcode === 'NXDOMAIN' || said.rcode === 'NOERROR';
    return { trouble: { fault: fault('target.dns.rcode', said.rcode), believed } };
  }
  if (wanted.aa && !said.authoritative && (said.rcode === 'NOERROR' || said.rcode === 'NXDOMAIN')) {
    return { trouble: { fault: fault('target.dns.lame', 'answers without authority'), believed: false } };
  }
  const found = recordsOf(said, name, wanted.type);
  if ('because' in found) {
    return { trouble: { fault: fault('target.dns.malformed', found.because), believed: false } };
  }
  const odd =
    wanted.rcode === 'NOERROR' ? (unexpected(wanted, said, found) ?? unkept(wanted, found)) : undefined;
  if (odd) return { trouble: { fault: odd, believed: true }, records: found.records };
  if (serial instanceof Error)
    return { trouble: { fault: serial.fault, believed: true }, records: found.records };
  return { records: found.records };
}

interface Records {
  readonly records: readonly DnsRecord[];
  /** The aliases on the way to them. */
  readonly aliases: readonly DnsRecord[];
}

/** The records of a name, through aliases; what else is in the answer was not asked for and is not believed. */
export function recordsOf(
  { answers }: Pick<DnsAnswer, 'answers'>,
  name: string,
  type: DnsType,
): Records | { readonly because: string } {
  const aliases: DnsRecord[] = [];
  for (let at = name; ;) {
    const here = answers.filter((record) => record.name === at);
    const records = here.filter((record) => record.type === type);
    const alias = here.find((record) => record.type === 'CNAME');
    if (records.length > 0 || !alias) return { records, aliases };
    aliases.push(alias);
    if (aliases.length > maxAliases) return { because: `over ${maxAliases} aliases, one behind the other` };
    at = alias.value;
  }
}

function unexpected(wanted: Wanted, said: DnsAnswer, { records, aliases }: Records): Fault | undefined {
  if (wanted.dnssec && !said.authenticated)
    return fault('target.dns.unexpected', 'does not say that DNSSEC holds');
  const values = new Set(records.map((record) => record.value));
  const missing = (wanted.exact ?? wanted.contains ?? []).filter((value) => !values.has(value));
  const extra = wanted.exact ? [...values].filter((value) => !wanted.exact?.includes(value)) : [];
  if (missing.length > 0 || extra.length > 0) {
    const parts = [...listed('missing', missing), ...listed('too much', extra)];
    return fault('target.dns.unexpected', parts.join(', '));
  }
  const least = wanted.count ?? ((wanted.exact ?? wanted.contains) ? 0 : 1);
  if (values.size >= least) return undefined;
  const alias = values.size === 0 ? aliases.at(-1) : undefined;
  const why = alias ? `, an alias for ${alias.value}` : '';
  return fault('target.dns.count', `${values.size} of type ${wanted.type}, at least ${least} expected${why}`);
}

function listed(what: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  const shown = values.slice(0, 4).map((value) => (value.length > 60 ? `${value.slice(0, 59)}…` : value));
  const more = values.length > shown.length ? ` and ${values.length - shown.length} more` : '';
  return [`${what}: ${shown.join(' ')}${more}`];
}

function unkept({ ttl }: Wanted, { records, aliases }: Records): Fault | undefined {
  if (!ttl) return undefined;
  const odd = [...aliases, ...records].find(
    ({ ttlSeconds }) => ttlSeconds * 1_000 < (ttl.min ?? 0) || ttlSeconds * 1_000 > (ttl.max ?? Infinity),
  );
  if (!odd) return undefined;
  const limits = [
    ttl.min === undefined ? [] : [`at least ${ttl.min / 1_000} s`],
    ttl.max === undefined ? [] : [`at most ${ttl.max / 1_000} s`],
  ].flat();
  return fault(
    'target.dns.ttl',
    `${odd.ttlSeconds} s for ${odd.type} ${odd.name}, ${limits.join(' and ')} expected`,
  );
}

function serialsApart(heard: readonly Heard[]): Fault | undefined {
  const told = heard.flatMap(({ server, serial }) =>
    typeof serial === 'number' ? [{ server, serial }] : [],
  );
  if (new Set(told.map(({ serial }) => serial)).size < 2) return undefined;
  return fault('target.dns.soa', told.map(({ server, serial }) => `${server}: ${serial}`).join('; '));
}

function tooSlow(limitMs: number | undefined, heard: readonly Heard[]): Fault | undefined {
  if (limitMs === undefined) return undefined;
  const late = heard.flatMap(({ server, said }) =>
    said instanceof Error || said.latencyTenths <= limitMs * 10
      ? []
      : [`${server}: ${said.latencyTenths / 10} ms, limit ${limitMs} ms`],
  );
  return late.length > 0 ? fault('target.dns.slow', late.join('; ')) : undefined;
}

/** All troubles, that of the fault first; those of another code say which. */
function together(first: Trouble, troubles: readonly Trouble[]): string {
  return [first, ...troubles.filter((each) => each !== first)]
    .map(({ server, fault: { code, detail } }) => {
      const text = code === first.fault.code ? (detail ?? code) : [code, detail].filter(Boolean).join(' ');
      return `${server}: ${text}`;
    })
    .join('; ');
}

/** The slowest answer; when none answered, the longest wait. */
function slowest(heard: readonly Heard[]): Phases {
  const answered = heard.filter(({ said }) => !(said instanceof Error));
  return (answered.length > 0 ? answered : heard)
    .map(({ said }) => said.phases ?? noPhases)
    .reduce((worst, each) => (totalTenths(each) > totalTenths(worst) ? each : worst), noPhases);
}

function factsOf(heard: readonly Heard[], judged: readonly Judged[]): Record<string, string> {
  const answered = heard.filter(({ said }) => !(said instanceof Error)).length;
  const sets = judged.flatMap(({ records }) => (records ? [records] : []));
  const ttls = sets.flat().map(({ ttlSeconds }) => ttlSeconds);
  const serials = heard.flatMap(({ serial }) => (typeof serial === 'number' ? [serial] : []));
  return {
    asked: String(heard.length),
    answered: String(answered),
    ...(sets.length > 0 ? { v: String(Math.min(...sets.map((set) => set.length))) } : {}),
    ...(ttls.length > 0 ? { ttl: String(Math.min(...ttls)) } : {}),
    ...(serials.length > 0 ? { serial: String(Math.min(...serials)) } : {}),
  };
}
