import { isIP } from 'node:net';
import {
  type Asked,
  type CheckContext,
  defineCheck,
  type DnsType,
  FaultError,
  type Reading,
} from '@highwater/config/kinds.ts';
import { faultError } from '../fault.ts';
import { normalName, serialOf } from '../io/dns-value.ts';
import { noPhases } from '../io/stopwatch.ts';
import { secondsOf } from '../repeat-socket.ts';
import { quoted } from '../repeat.ts';
import { assertionsOf } from './dns-assertions.ts';
import { findServers, type NameServer } from './dns-servers.ts';
import { settings, type Settings, troubleWith } from './dns-settings.ts';
import { type Heard, judge } from './dns-verdict.ts';

/** How far up a name its zone may begin; one question each, and mostly the first has it. */
const maxParents = 16;

/** Asks each name server itself for a name, and compares what they say with what is expected. */
export const dns = defineCheck({
  kind: 'dns',
  summary: 'Asks each name server of a zone for a name: records, TTL, authority, one version of the zone.',
  settings,
  counts: false,
  needsChain: false,
  asksTarget: false,
  troubleWith,
  async run(wanted, ctx): Promise<Reading> {
    const name = wanted.name ?? hostName(ctx.target.url);
    const { zone, servers } = await resolved(ctx, () => findServers(wanted, name, ctx));
    const heard = await Promise.all(servers.map((server) => hear(server, wanted, { name, zone }, ctx)));
    const reading = judge(wanted, name, heard);
    if (ctx.asserted) for (const each of assertionsOf(wanted, name, heard)) ctx.asserted(each);
    // In the next round it may be another server's turn.
    if (reading.outcome !== 'ok') ctx.memory.delete('servers');
    return reading;
  },
  repeat: repeated,
});

/** Each server that is written, one after the other; the zone's own are found by dig as it goes down from the root. */
function repeated(wanted: Settings, { target, timeoutMs }: Asked): string {
  const { type, servers, soaEqual, aa, dnssec } = wanted;
  const name = wanted.name ?? hostName(target.url);
  if (!servers) return `dig +trace ${quoted(name)} ${type}`;
  const flags = [
    aa ? '+norecurse' : '+recurse',
    ...(dnssec === undefined ? [] : ['+adflag']),
    `+timeout=${Math.max(1, secondsOf(timeoutMs / 2))} +tries=2`,
  ];
  return servers
    .flatMap(({ host, port = wanted.port }) => {
      const at = ['dig', quoted(`@${host}`), ...(port === 53 ? [] : [`-p ${port}`]), ...flags].join(' ');
      return [`${at} ${quoted(name)} ${type}`, ...(soaEqual ? [`${at} ${quoted(name)} SOA`] : [])];
    })
    .join('; ');
}

function hostName(url: string): string {
  const host = new URL(url).hostname;
  const name = isIP(host.replace(/[[\]]/g, '')) === 0 ? normalName(host) : undefined;
  if (name === undefined)
    throw faultError('probe.config.settings', `${host} is no name, write what to ask for as name`);
  return name;
}

/** A resolver's fault with the time that it took. */
async function resolved<T>(ctx: CheckContext, run: () => Promise<T>): Promise<T> {
  const begunAt = ctx.now();
  try {
    return await run();
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    const tenths = Math.max(0, ctx.now() - begunAt) * 10;
    throw new FaultError(thrown.fault, { ...noPhases, resolve: tenths });
  }
}

interface Subject {
  readonly name: string;
  /** Undefined when the servers were written. */
  readonly zone: string | undefined;
}

async function hear(
  server: NameServer,
  wanted: Settings,
  { name, zone }: Subject,
  ctx: CheckContext,
): Promise<Heard> {
  if ('failed' in server) return { server: server.label, said: server.failed };
  const ask = (asked: string, type: DnsType) => {
    const { address, port } = server;
    return ctx.dns.ask({ address, port, name: asked, type, recurse: !wanted.aa });
  };
  const said = await orFault(ask(name, wanted.type));
  const heard = { server: server.label, said };
  if (!wanted.soaEqual || said instanceof FaultError) return heard;
  return { ...heard, serial: await orFault(serialAt(zone ?? name, ask)) };
}

/** The zone's serial number, in the answer for its own name or, for names in it, beside the answer. */
async function serialAt(
  name: string,
  ask: (name: string, type: DnsType) => ReturnType<CheckContext['dns']['ask']>,
): Promise<number> {
  const labels = name.split('.');
  for (let depth = 0; depth < Math.min(labels.length, maxParents); depth += 1) {
    const at = labels.slice(depth).join('.');
    const { answers, authorities } = await ask(at, 'SOA');
    const own = answers.find((record) => record.type === 'SOA' && record.name === at);
    const above = authorities.find((record) => record.type === 'SOA' && `.${at}`.endsWith(`.${record.name}`));
    const found = own ?? above;
    if (found) return serialOf(found.value);
  }
  throw faultError('target.dns.soa', `gives no SOA for ${name} or what it is under`);
}

/** What was said, or the fault; the program ending is neither. */
async function orFault<T>(said: Promise<T>): Promise<T | FaultError> {
  try {
    return await said;
  } catch (thrown) {
    if (thrown instanceof FaultError) return thrown;
    throw thrown;
  }
}
