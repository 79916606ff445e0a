/** One check's answer in sentences: what is wrong first, then where the time went and what came back. */
import type { Observation, Phases } from '@highwater/config/domain.ts';
import { explainFault } from '@highwater/config/explain.ts';
import { type Fault, faultId } from '@highwater/config/faults.ts';
import { methodIdsOf } from '@highwater/config/method-id.ts';
import type { Chain, Monitor } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import { factText } from './fact-text.ts';
import { ago, plain } from './print.ts';

export interface Asked {
  readonly monitor: Pick<Monitor, 'kind' | 'settings' | 'target'>;
  readonly chain: Pick<Chain, 'name' | 'family'> | undefined;
}

/** Lines without control characters; `now` is when the answer was there. */
export function observationText(seen: Observation, { monitor, chain }: Asked, now: Instant): string {
  const { outcome, latencyTenths, phases, facts, fault } = seen;
  const rows: (readonly [key: string, text: string])[] = [
    ...(fault ? faultRows(fault, monitor.kind, chain) : []),
    ...(phases ? [['time', timeText(phases, monitor)] as const] : []),
    ...Object.entries(facts).map(([key, value]) => [key, datedText(key, value, now)] as const),
    ...missing(seen, monitor),
  ];
  const width = Math.max(7, ...rows.map(([key]) => key.length));
  const lines = [
    `${monitor.kind} of ${new URL(monitor.target.url).origin}: ${outcomes[outcome]} in ${latencyTenths / 10} ms`,
    ...rows.map(([key, text]) => `  ${key.padEnd(width)} ${text}`),
  ];
  return `${lines.map(plain).join('\n')}\n`;
}

const outcomes: Readonly<Record<Observation['outcome'], string>> = {
  ok: 'up',
  degraded: 'up but degraded',
  fail: 'not up',
  skipped: 'not asked',
};

function faultRows(fault: Fault, kind: string, chain: Asked['chain']): (readonly [string, string])[] {
  const id = faultId(fault);
  const meaning = explainFault(id);
  const isOther = kind === 'head' && id === 'target.rpc.method' && chain !== undefined;
  const texts = [
    ...(meaning ? [meaning.means, `Look at: ${meaning.look}`] : []),
    ...(isOther ? [`Is this a node of another family? The chain ${chain.name} is of ${chain.family}.`] : []),
    ...(meaning ? [meaning.source] : []),
  ];
  const said = fault.detail === undefined ? id : `${id}: ${fault.detail}`;
  return [['fault', said], ...texts.map((text) => ['', text] as const)];
}

/** Over a WebSocket the first byte is the answer to the upgrade, and what came after it are answers. */
function timeText(phases: Phases, { kind, settings, target }: Asked['monitor']): string {
  const { transport } = (settings ?? {}) as { readonly transport?: unknown };
  const isSocket =
    kind === 'websocket' || transport === 'websocket' || (transport === undefined && isSocketUrl(target.url));
  const names: Readonly<Record<keyof Phases, string>> = {
    resolve: 'resolve',
    connect: 'connect',
    tls: 'TLS',
    firstByte: isSocket ? 'upgrade' : 'first byte',
    transfer: isSocket ? 'answers' : 'transfer',
  };
  return (Object.keys(names) as (keyof Phases)[])
    .filter((phase) => phase !== 'tls' || isSecureUrl(target.url) || phases.tls > 0)
    .map((phase) => `${names[phase]} ${phases[phase] / 10} ms`)
    .join(', ');
}

const isSocketUrl = (url: string): boolean => /^wss?:/i.test(url);
const isSecureUrl = (url: string): boolean => /^(?:https|wss):/i.test(url);

function datedText(key: string, value: string, now: Instant): string {
  const text = factText(key, value);
  if (key !== 'bt') return text;
  const ageMs = now - Number(value);
  return `${text}, ${ageMs >= 0 ? `${ago(ageMs)} ago` : `${ago(-ageMs)} ahead of this clock`}`;
}

/** What a reader would look for and not find. */
function missing(seen: Observation, monitor: Asked['monitor']): (readonly [string, string])[] {
  const { facts } = seen;
  const unasked = monitor.kind === 'jsonrpc' ? methodIdsOf(monitor) : [];
  return [
    ...unasked
      .map((id) => `m.${id}`)
      .filter((key) => !Object.hasOwn(facts, key))
      .map((key) => [key, 'not asked'] as const),
    ...('ack' in facts && !('first' in facts)
      ? [['first', 'no block was pushed while this check waited; a probe waits on'] as const]
      : []),
    ...(isHandshakeAlone(seen, monitor)
      ? [
          [
            'asked',
            'the handshake alone: for new blocks it needs a chain whose family pushes them, for answers a script',
          ] as const,
        ]
      : []),
  ];
}

/** Nothing was said over the WebSocket, so that its being up says little. A subscription leaves `ack`, a poll `h`. */
function isHandshakeAlone({ outcome, facts }: Observation, { kind, settings }: Asked['monitor']): boolean {
  const { script, receive } = (settings ?? {}) as { readonly script?: unknown; readonly receive?: unknown };
  const isGood = outcome === 'ok' || outcome === 'degraded';
  return kind === 'websocket' && isGood && !script && !receive && !('ack' in facts) && !('h' in facts);
}
