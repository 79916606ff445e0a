import {
  type Asked,
  type ByteLink,
  type CheckContext,
  defineCheck,
  FaultError,
  type Reading,
} from '@highwater/config/kinds.ts';
import type { Phases } from '@highwater/config/domain.ts';
import { formatDuration } from '@highwater/config/time.ts';
import { fault, faultError } from '../fault.ts';
import { totalTenths } from '../io/stopwatch.ts';
import { asBytes, portOf } from '../io/url.ts';
import { addressOf, opensslWords, printfWords, secondsOf } from '../repeat-socket.ts';
import { quoted } from '../repeat.ts';
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
    ctx.asserted?.({ what: wanted.tls ? 'TLS is spoken' : 'a connection is made', held: true });
    if (wanted.expect) await answered(link, wanted.expect, wanted, ctx);
    const { phases, certExpiresAt } = link;
    const latencyTenths = totalTenths(phases);
    const facts = certExpiresAt === undefined || certExpiresAt < 0 ? {} : { ce: String(certExpiresAt) };
    const limit = wanted.slow;
    if (limit !== undefined)
      ctx.asserted?.({
        what: `it takes at most ${formatDuration(limit)}`,
        held: latencyTenths <= limit * 10,
        found: `${latencyTenths / 10} ms`,
      });
    if (limit === undefined || latencyTenths <= limit * 10)
      return { outcome: 'ok', latencyTenths, phases, facts };
    const slow = fault('target.tcp.slow', `${latencyTenths / 10} ms, limit ${limit} ms`);
    return { outcome: 'degraded', fault: slow, latencyTenths, phases, facts };
  },
  repeat: repeated,
});

function repeated({ port, tls, send, expect }: Settings, asked: Asked): string {
  const { target, timeoutMs } = asked;
  const url = asBytes(target.url, port, tls);
  const at = portOf(url);
  const said = send === undefined ? '' : `${printfWords(send)} | `;
  if (tls) {
    const quiet = expect === undefined ? '</dev/null' : '-quiet';
    return `${said}${[...opensslWords(url, at, asked), '-verify_return_error', quiet].join(' ')}`;
  }
  return [
    `${said}nc`,
    ...(target.family === undefined ? [] : [`-${target.family}`]),
    ...(expect === undefined ? ['-vz'] : []),
    `-w ${secondsOf(timeoutMs)}`,
    quoted(addressOf(url, target)),
    String(at),
  ].join(' ');
}

async function answered(
  link: ByteLink,
  expected: Expectation,
  { send, maxBytes }: Settings,
  { signal, asserted }: Pick<CheckContext, 'signal' | 'asserted'>,
): Promise<void> {
  const search = searchFor(expected);
  if (send !== undefined) link.send(send);
  try {
    for (;;) {
      const bytes = await link.next();
      if (bytes === undefined) throw ended(search, expected, link.phases);
      const before = search.bytes;
      if (await search.has(bytes.subarray(0, maxBytes - before), signal)) {
        asserted?.({ what: `${wish(expected)} comes`, held: true, found: excerpt(search.text()) });
        return;
      }
      if (before + bytes.length >= maxBytes)
        throw faultError('target.tcp.too-large', `${maxBytes} bytes without ${wish(expected)}`, link.phases);
    }
  } catch (thrown) {
    const bytes = `${search.bytes} bytes without it`;
    asserted?.({ what: `${wish(expected)} comes`, held: false, found: bytes });
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
