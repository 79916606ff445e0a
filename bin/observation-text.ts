/** One check's answer in sentences: what is wrong first, then where the time went, what came back and what was asked. */
import type { Observation, Phases } from '@highwater/config/domain.ts';
import { faultId } from '@highwater/config/faults.ts';
import type { Assertion } from '@highwater/config/kinds.ts';
import { methodIdsOf } from '@highwater/config/method-id.ts';
import type { Chain, Monitor } from '@highwater/config/model.ts';
import { DAY_MS, formatDuration, type Instant } from '@highwater/config/time.ts';
import { portOf } from '../probe/src/io/url.ts';
import type { Told } from '../probe/src/once.ts';
import { hasSecrets } from '../probe/src/repeat.ts';
import { factText } from './fact-text.ts';
import { isRefusedAndSkipped, meaningHere } from './fault-here.ts';
import { ago, plain, wrapped } from './print.ts';
import { type Bar, waterfall } from './waterfall.ts';

export interface Asked {
  readonly monitor: Pick<Monitor, 'kind' | 'settings' | 'target' | 'timeoutMs'>;
  readonly chain: Pick<Chain, 'name' | 'family'> | undefined;
  /** Whether the URL was typed just now. */
  readonly isTyped?: boolean;
}

/** What there is to say. */
export interface Answer extends Told {
  /** The shell line. */
  readonly repeat: string | undefined;
  /** When it was there. */
  readonly at: Instant;
}

/** Where it is printed. */
export interface Paper {
  readonly columns: number;
  /** Whether long sentences are broken at its width: not where a program may read them. */
  readonly wraps: boolean;
}

type Row = readonly [key: string, text: string];

const indent = '  ';

/** Lines without control characters. */
export function observationText(answer: Answer, asked: Asked, paper: Paper): string {
  const { observation: seen, assertions, repeat, at } = answer;
  const { monitor, chain } = asked;
  const room = paper.columns - indent.length;
  const calls = callBars(answer, monitor);
  const facts = Object.entries(seen.facts).filter(([key]) => calls.length === 0 || !key.startsWith('m.'));
  const rows: Row[] = [
    ...whereRows(answer, monitor),
    ...facts.map(([key, value]): Row => [key, datedText(key, value, at)]),
    ...missing(seen, monitor),
  ];
  const total = {
    name: 'total',
    fromTenths: 0,
    tenths: seen.latencyTenths,
    note: `deadline ${formatDuration(monitor.timeoutMs)}`,
  };
  const time = waterfall([...(seen.phases ? phaseBars(seen.phases, monitor) : []), total], room);
  const sections: readonly (readonly string[])[] = [
    laidOut(faultRows(seen, monitor.kind, chain), paper),
    wasAsked(seen) ? indented(time) : [],
    calls.length === 0 ? [] : [`${indent}calls`, ...indented(waterfall(calls, room))],
    laidOut(rows, paper),
    assertions.length === 0 ? [] : [`${indent}expected`, ...laidOut(assertions.map(assertionRow), paper)],
    repeat === undefined
      ? []
      : [`${indent}repeat it with`, `${indent}${repeat}`, ...laidFlat(notRepeated(monitor), paper)],
  ];
  const title = `${monitor.kind} of ${placeText(asked)}: ${outcomeText(seen)}`;
  const lines = [
    ...(paper.wraps ? wrapped(title, paper.columns) : [title]),
    ...sections.filter(({ length }) => length > 0).flatMap((section) => ['', ...section]),
  ];
  return `${lines.map(plain).join('\n')}\n`;
}

/**
 * Without queries, and without the path of a node's URL unless somebody typed it: there it may be a key. That of a
 * check's settings is published with them.
 */
function placeText({ monitor, isTyped }: Asked): string {
  const { origin, pathname, hostname } = new URL(monitor.target.url);
  const { path, port, name } = (monitor.settings ?? {}) as Readonly<
    Record<'path' | 'port' | 'name', unknown>
  >;
  if (monitor.kind === 'dns') return typeof name === 'string' ? name : hostname;
  if (monitor.kind === 'tcp' || monitor.kind === 'tls')
    return `${hostname}:${typeof port === 'number' ? port : portOf(new URL(monitor.target.url))}`;
  const at = isTyped ? pathname.replace(/\/$/, '') : '';
  return `${origin}${at}${typeof path === 'string' ? path.replace(/\?.*$/s, '') : ''}`;
}

const outcomes: Readonly<Record<Observation['outcome'], string>> = {
  ok: 'up',
  degraded: 'up but degraded',
  fail: 'not up',
  skipped: 'not asked',
};

/** What was skipped was not asked, unless it was refused. */
function wasAsked(seen: Observation): boolean {
  return seen.outcome !== 'skipped' || isRefusedAndSkipped(seen);
}

function outcomeText(seen: Observation): string {
  const took = `in ${seen.latencyTenths / 10} ms`;
  if (!isRefusedAndSkipped(seen)) return `${outcomes[seen.outcome]} ${took}`;
  const status = /^[0-9]{3,4}$/.exec(seen.fault?.detail ?? seen.facts['sc'] ?? '')?.[0];
  const how = status === undefined ? '' : ` (${status})`;
  return `skipped ${took}: it refuses us${how}; by refusals: skip that counts neither way`;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `${indent}${line}`);
}

/** What the line leaves to whoever repeats it; nothing where it does all. */
function notRepeated({ kind, settings, target }: Asked['monitor']): string {
  const { redirects } = (settings ?? {}) as { readonly redirects?: unknown };
  return kind === 'http' && typeof redirects === 'number' && redirects > 0 && hasSecrets(target)
    ? 'Redirects are to be followed by hand, without the secret: curl -L would send it to wherever they lead.'
    : '';
}

function laidFlat(text: string, { columns, wraps }: Paper): string[] {
  if (text === '') return [];
  return indented(wraps ? wrapped(text, Math.max(20, columns - indent.length)) : [text]);
}

/** Keys in one column, texts in the other. */
function laidOut(rows: readonly Row[], { columns, wraps }: Paper): string[] {
  const width = Math.max(7, ...rows.map(([key]) => key.length));
  // In a narrow terminal texts go below their keys.
  const isNarrow = wraps && columns - width < 30;
  const before = isNarrow ? `${indent}${indent}` : ' '.repeat(indent.length + width + 1);
  return rows.flatMap(([key, text]) => {
    const lines = wraps ? hanging(text, Math.max(20, columns - before.length)) : [text];
    if (isNarrow)
      return [...(key === '' ? [] : [`${indent}${key}`]), ...lines.map((line) => `${before}${line}`)];
    const [first = '', ...more] = lines;
    return [`${indent}${key.padEnd(width)} ${first}`, ...more.map((line) => `${before}${line}`)];
  });
}

/** The lines of an entry of a list stand below its text. */
function hanging(text: string, columns: number): string[] {
  if (!text.startsWith('- ')) return wrapped(text, columns);
  const [first = '', ...more] = wrapped(text.slice(2), columns - 2);
  return [`- ${first}`, ...more.map((line) => `  ${line}`)];
}

function faultRows(seen: Observation, kind: string, chain: Asked['chain']): Row[] {
  const { fault } = seen;
  if (!fault) return [];
  const id = faultId(fault);
  const meaning = meaningHere(seen);
  const isOther = kind === 'head' && id === 'target.rpc.method' && chain !== undefined;
  const texts = [
    ...(meaning
      ? [
          meaning.means,
          'Usual causes:',
          ...meaning.causes.map((cause) => `- ${cause}`),
          `Look at: ${meaning.look}`,
        ]
      : []),
    ...(isOther ? [`Is this a node of another family? The chain ${chain.name} is of ${chain.family}.`] : []),
    ...(meaning ? [meaning.source] : []),
  ];
  const said = fault.detail === undefined ? id : `${id}: ${fault.detail}`;
  return [['fault', said], ...texts.map((text): Row => ['', text])];
}

/** Those that took time: one without was not needed, or not reached. Over a WebSocket the first byte is the answer to the upgrade, and what came after it are answers. */
function phaseBars(phases: Phases, { kind, settings, target }: Asked['monitor']): Bar[] {
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
  let fromTenths = 0;
  return (Object.keys(names) as (keyof Phases)[])
    .filter((phase) => phases[phase] > 0)
    .map((phase) => {
      const bar = { name: names[phase], fromTenths, tenths: phases[phase] };
      fromTenths += bar.tenths;
      return bar;
    });
}

const isSocketUrl = (url: string): boolean => /^wss?:/i.test(url);

/** One for each question, where there are several. A method of a check goes by its id. */
function callBars({ observation: { facts }, calls }: Answer, monitor: Asked['monitor']): Bar[] {
  const ids = monitor.kind === 'jsonrpc' ? methodIdsOf(monitor).filter((id) => `m.${id}` in facts) : [];
  // Before them the head may have been asked for.
  const before = calls.length - ids.length;
  const bars = calls.map(({ what, fromTenths, tenths, fault }, index): Bar => {
    const id = index < before ? undefined : ids[index - before];
    const fact = id === undefined ? undefined : facts[`m.${id}`];
    const trouble = fault ?? (fact !== undefined && !/^[0-9]+$/.test(fact) ? fact : undefined);
    return {
      name: plain(id ?? what),
      fromTenths,
      tenths,
      ...(trouble === undefined ? {} : { note: `✗ ${trouble}` }),
    };
  });
  return bars.length > 1 ? bars.sort((a, b) => a.fromTenths - b.fromTenths) : [];
}

/** The address, and what is known of TLS there. */
function whereRows({ observation: { facts }, address, at }: Answer, { target }: Asked['monitor']): Row[] {
  const days = (end: string): string => {
    const left = Math.floor((Number(end) - at) / DAY_MS);
    return left < 0 ? `certificate over for ${-left} days` : `certificate for ${left} days more`;
  };
  const end = facts['cv'] ?? facts['ce'];
  const parts = [
    ...(address === undefined
      ? []
      : [address === hostOf(target.url) ? address : `${address}, ${hostOf(target.url)}`]),
    ...(facts['tv'] === undefined ? [] : [`TLS ${facts['tv']}`]),
    ...(end === undefined ? [] : [days(end)]),
  ];
  return parts.length === 0 ? [] : [['at', parts.join(', ')]];
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/[[\]]/g, '');
}

function assertionRow({ what, held, found }: Assertion): Row {
  return [held ? '✓ ok' : '✗ not so', found === undefined ? what : `${what}: ${found}`];
}

function datedText(key: string, value: string, now: Instant): string {
  const text = factText(key, value);
  if (key !== 'bt') return text;
  const ageMs = now - Number(value);
  return `${text}, ${ageMs >= 0 ? `${ago(ageMs)} ago` : `${ago(-ageMs)} ahead of this clock`}`;
}

/** What a reader would look for and not find. */
function missing(seen: Observation, monitor: Asked['monitor']): Row[] {
  const { facts } = seen;
  const unasked = monitor.kind === 'jsonrpc' ? methodIdsOf(monitor) : [];
  return [
    ...unasked
      .map((id) => `m.${id}`)
      .filter((key) => !Object.hasOwn(facts, key))
      .map((key): Row => [key, 'not asked']),
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
