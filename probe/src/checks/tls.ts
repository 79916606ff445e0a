import { z } from 'zod';
import { durationBetween, key } from '@highwater/config/fields.ts';
import type { Fault } from '@highwater/config/faults.ts';
import {
  type Asked,
  type Assertion,
  defineCheck,
  type Handshake,
  type Reading,
} from '@highwater/config/kinds.ts';
import { DAY_MS, formatDuration, type Instant } from '@highwater/config/time.ts';
import { fault } from '../fault.ts';
import { asBytes, portOf } from '../io/url.ts';
import { opensslWords } from '../repeat-socket.ts';
import { totalTenths } from '../io/stopwatch.ts';
import { urlPort } from './settings.ts';
import { expiryFault, firstToEnd } from './tls-expiry.ts';

const century = 36_500 * DAY_MS;

const defaults = { warn: 14 * DAY_MS, critical: 3 * DAY_MS } as const;

const settings = z
  .strictObject({
    port: urlPort,
    warn: key(
      durationBetween(0, century).default(defaults.warn),
      'Degraded when the chain expires within this; at most a third of the lifetime of the certificate that expires first.',
    ),
    critical: key(
      durationBetween(0, century).default(defaults.critical),
      'Told as urgent when it expires within this; at most a sixth of that lifetime.',
    ),
    minVersion: key(
      z
        .enum(['1.2', '1.3'], {
          error: (issue) =>
            issue.input === undefined
              ? undefined
              : 'not a version to ask for, write "1.2" or "1.3" in quotes',
        })
        .default('1.2'),
      'The oldest version of TLS that is good.',
    ),
    fingerprint: key(
      z
        .string('not a fingerprint, write the 64 hex digits of the SHA-256 of the certificate in quotes')
        .regex(
          /^([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$/,
          'not a fingerprint, write the 64 hex digits of the SHA-256 of the certificate',
        )
        .transform((text) => text.replaceAll(':', '').toLowerCase())
        .optional(),
      'SHA-256 of the one certificate that is good (openssl x509 -fingerprint -sha256); it must be trusted as well.',
      'b0:1d:5c:…',
    ),
  })
  .refine(({ warn, critical }) => warn >= critical, {
    path: ['warn'],
    message: `below critical (${formatDuration(defaults.critical)} when left out), so that it says nothing, write more`,
  });
type Settings = z.infer<typeof settings>;

/** Looks at the certificate that one server presents for the name of its URL. */
export const tls = defineCheck({
  kind: 'tls',
  summary: 'Looks at the certificate: name, trust, expiry, version of TLS.',
  settings,
  counts: false,
  needsChain: false,
  async run(wanted, ctx): Promise<Reading> {
    const told = await ctx.handshake(wanted.port === undefined ? {} : { port: wanted.port });
    const before = ctx.memory.get('fingerprint');
    const { fingerprint } = told.presented[0];
    ctx.memory.set('fingerprint', fingerprint);
    const changed = typeof before === 'string' && before !== fingerprint ? before : undefined;
    const bad = broken(told, wanted);
    const found = bad ?? expiryFault(told, wanted, ctx.now());
    if (ctx.asserted) for (const each of assertionsOf(told, wanted, ctx.now())) ctx.asserted(each);
    return {
      outcome: bad ? 'fail' : found ? 'degraded' : 'ok',
      latencyTenths: totalTenths(told.phases),
      phases: told.phases,
      facts: factsOf(told, changed),
      ...(found ? { fault: changed === undefined ? found : withChange(found, changed) } : {}),
    };
  },
  repeat: repeated,
});

/**
 * The certificate is shown even where it is not good; that it is not is told by the second, which ends with another code
 * than 0 then, and at which s_client shows no certificate.
 */
function repeated({ port }: Settings, asked: Asked): string {
  const url = asBytes(asked.target.url, port, true);
  const shown = '-subject -issuer -dates -fingerprint -sha256';
  const words = opensslWords(url, portOf(url), asked).join(' ');
  return `${words} </dev/null | openssl x509 -noout ${shown}; ${words} -brief -verify_return_error </dev/null`;
}

function assertionsOf(told: Handshake, wanted: Settings, now: Instant): Assertion[] {
  const { distrust, presented, version } = told;
  const { fingerprint } = presented[0];
  const days = (firstToEnd(told).validTo - now) / DAY_MS;
  const left = days < 0 ? `it ended ${(-days).toFixed(1)} days ago` : `${days.toFixed(1)} days left`;
  const lasts = (limitMs: number, bad: readonly string[]): Assertion => ({
    what: `it lasts ${formatDuration(limitMs)} more, or its share of a short life`,
    held: !bad.includes(expiryFault(told, wanted, now)?.code ?? ''),
    found: left,
  });
  return [
    {
      what: 'the certificate is trusted and for this name',
      held: distrust === undefined,
      ...(distrust ? { found: [distrust.code, distrust.detail].filter(Boolean).join(': ') } : {}),
    },
    ...(wanted.fingerprint === undefined
      ? []
      : [
          {
            what: `its fingerprint is ${wanted.fingerprint.slice(0, 16)}…`,
            held: fingerprint === wanted.fingerprint,
            found: `${fingerprint.slice(0, 16)}…`,
          },
        ]),
    {
      what: `TLS is at least ${wanted.minVersion}`,
      held: version >= wanted.minVersion,
      found: `TLS ${version}`,
    },
    lasts(wanted.warn, ['expiring', 'expires-soon']),
    lasts(wanted.critical, ['expiring']),
  ];
}

function broken({ distrust, presented: [own], version }: Handshake, wanted: Settings): Fault | undefined {
  if (distrust) return distrust;
  if (wanted.fingerprint !== undefined && own.fingerprint !== wanted.fingerprint)
    return fault('target.tls.fingerprint', `it is ${own.fingerprint}`);
  // TLS 1.1 and older are refused in the handshake.
  return version < wanted.minVersion
    ? fault('target.tls.protocol', `TLS ${version}, at least ${wanted.minVersion} is asked for`)
    : undefined;
}

function withChange(found: Fault, before: string): Fault {
  const text = `another certificate than in the round before (${before.slice(0, 8)})`;
  return { ...found, detail: found.detail === undefined ? text : `${found.detail}; ${text}` };
}

function factsOf({ presented, chain, version }: Handshake, changed: string | undefined) {
  const [own] = presented;
  const facts = {
    ce: firstEnd(presented),
    cl: own.validTo,
    ...(chain ? { cv: firstEnd(chain) } : {}),
  };
  // Dates before 1970 have no place in a line.
  const times = Object.entries(facts).filter(([, at]) => at >= 0);
  return {
    ...Object.fromEntries(times.map(([name, at]) => [name, String(at)])),
    fp: own.fingerprint.slice(0, 8),
    ...(changed === undefined ? {} : { fpb: changed.slice(0, 8) }),
    ...(/^1\.[0-9]$/.test(version) ? { tv: version } : {}),
  };
}

function firstEnd(certificates: readonly { readonly validTo: number }[]): number {
  return Math.min(...certificates.map(({ validTo }) => validTo));
}
