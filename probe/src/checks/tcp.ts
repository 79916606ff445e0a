import { defineCheck, type ByteLink, FaultError, type Reading } from '@highwater/config/kinds.ts';
import type { Phases } from '@highwater/config/domain.ts';
import { fault, faultError } from '../fault.ts';
import { totalTenths } from '../io/stopwatch.ts';
import { excerpt } from './json.ts';
import { type Search, searchFor } from './tcp-search.ts';
import { type Expectation, settings, type Settings } from './tcp-settings.ts';

/** Connects, and where told so says something and waits for what must come. */
export const tcp = defineCheck({
  kind: 'tcp',
  summary: 'Connects to a port, with TLS or without; sends a text and waits for one where told so.',
  settings,
  counts: true,
  needsChain: false,
  async run(wanted, ctx): Promise<Reading> {
    using link = await ctx.connect({
      tls: wanted.tls,
      ...(wanted.port === undefined ? {} : { port: wanted.port }),
    });
    if (wanted.expect) await answered(link, wanted.expect, wanted, ctx.signal);
    const { phases, certExpiresAt } = link;
    const latencyTenths = totalTenths(phases);
    const facts = certExpiresAt === undefined || certExpiresAt < 0 ? {} : { ce: String(certExpiresAt) };
    const limit = wanted.slow;
    if (limit === undefined || latencyTenths <= limit * 10)
      return { outcome: 'ok', latencyTenths, phases, facts };
    const slow = fault('target.tcp.slow', `${latencyTenths / 10} ms, limit ${limit} ms`);
    return { outcome: 'degraded', fault: slow, latencyTenths, phases, facts };
  },
});

async function answered(
  link: ByteLink,
  expected: Expectation,
  { send, maxBytes }: Settings,
  signal: AbortSignal,
): Promise<void> {
  const search = searchFor(expected);
  if (send !== undefined) link.send(send);
  try {
    for (;;) {
      const bytes = await link.next();
      if (bytes === undefined) throw ended(search, expected, link.phases);
      const before = search.bytes;
      if (await search.has(bytes.subarray(0, maxBytes - before), signal)) return;
      if (before + bytes.length >= maxBytes)
        throw faultError('target.tcp.too-large', `${maxBytes} bytes without ${wish(expected)}`, link.phases);
    }
  } catch (thrown) {
    throw withWhatCame(thrown, search, expected);
  }
}

/** The far side has said all: nothing, or something else. */
function ended(search: Search, expected: Expectation, phases: Phases): FaultError {
  return search.bytes === 0
    ? faultError('target.tcp.closed', `by the server, before anything came`, phases)
    : faultError(
        'target.tcp.unexpected',
        `expected ${wish(expected)}, came ${excerpt(search.text())}`,
        phases,
      );
}

function withWhatCame(thrown: unknown, search: Search, expected: Expectation): unknown {
  if (!(thrown instanceof FaultError) || !['timeout', 'closed'].includes(thrown.fault.code)) return thrown;
  if (thrown.fault.operation !== 'tcp') return thrown;
  const came = search.bytes === 0 ? 'nothing came' : `came ${excerpt(search.text())}`;
  const { detail } = thrown.fault;
  const text = `${detail === undefined ? '' : `${detail}; `}expected ${wish(expected)}, ${came}`;
  return faultError(`target.tcp.${thrown.fault.code}`, text, thrown.phases);
}

function wish({ contains, matches }: Expectation): string {
  return contains === undefined ? `a match of ${matches ?? ''}` : excerpt(contains);
}
