/** The shell line that repeats what a check asked: with what was sent, and of several questions those that went wrong. */
import type { Observation } from '@highwater/config/domain.ts';
import { type AnyCheckKind, FaultError } from '@highwater/config/kinds.ts';
import { methodIdsOf } from '@highwater/config/method-id.ts';
import type { Chain, Monitor } from '@highwater/config/model.ts';
import type { Place, RpcParams } from '../probe/src/checks/ask.ts';
import { type Question, questionLine } from '../probe/src/checks/rpc-repeat.ts';
import type { Call } from '../probe/src/told.ts';
import { ZodError } from 'zod';

type Settings = Readonly<Record<string, unknown>>;

interface Asked {
  readonly monitor: Pick<Monitor, 'kind' | 'settings' | 'target' | 'timeoutMs'>;
  readonly chain: Chain | undefined;
}

interface Seen {
  readonly observation: Pick<Observation, 'outcome' | 'facts' | 'fault'>;
  readonly calls: readonly Call[];
}

/** Undefined where the kind has no such line, or none for these settings. */
export function repeatLine(
  kind: AnyCheckKind | undefined,
  { monitor, chain }: Asked,
  seen: Seen,
): string | undefined {
  const { target, timeoutMs } = monitor;
  const written = (monitor.settings ?? {}) as Settings;
  const narrow = { jsonrpc: methodsOf, dns: serversOf }[monitor.kind];
  try {
    const asked = { target, timeoutMs, ...(chain ? { chain } : {}) };
    const question = monitor.kind === 'head' ? questionAtFault(seen) : undefined;
    if (question) return questionLine(question, placeOf(written, question), asked);
    return kind?.repeat(narrow ? narrow(written, seen) : written, asked);
  } catch (thrown) {
    if (thrown instanceof FaultError || thrown instanceof ZodError) return undefined;
    throw thrown;
  }
}

/** Of a head check the question that ended it, as what it asks is not always the height. */
function questionAtFault({ observation: { outcome, fault }, calls }: Seen): Question | undefined {
  const sent = calls.at(-1)?.sent;
  if (outcome !== 'fail' || fault?.code === 'old' || sent === undefined || 'server' in sent) return undefined;
  return 'get' in sent ? sent : { method: sent.method, params: sent.params as RpcParams };
}

/** A path that was sent has the check's own before it. */
function placeOf({ path, port, transport }: Settings, question: Question): Place {
  const place = { port, transport } as Place;
  return 'get' in question ? place : { ...place, path: path as Place['path'] };
}

/** Methods with the parameters that were sent in place of their templates; those at fault where some are. */
function methodsOf(written: Settings, { observation, calls }: Seen): Settings {
  const methods = (written['methods'] ?? []) as readonly Settings[];
  const ids = methodIdsOf({ settings: written });
  const { facts } = observation;
  const asked = ids.flatMap((id, index) => {
    const fact = facts[`m.${id}`];
    return fact === undefined ? [] : [{ id, method: methods[index] ?? {}, isBad: !/^[0-9]+$/.test(fact) }];
  });
  // Before them the head may have been asked for.
  const own = calls.slice(calls.length - asked.length);
  const sent = asked.map((each, index) => ({ ...each, method: asSent(each.method, written, own[index]) }));
  const named = (id: string, { method, get }: Settings) =>
    [method, id, get].some((name) => typeof name === 'string' && isAbout(observation.fault?.detail, name));
  const bad = sent.filter(({ isBad }) => isBad);
  const slow = bad.length > 0 ? bad : sent.filter(({ id, method }) => named(id, method));
  const chosen = (slow.length > 0 ? slow : sent).map(({ method }) => method);
  return chosen.length === 0 ? written : { ...written, methods: chosen };
}

function isAbout(detail: string | undefined, name: string): boolean {
  return detail?.startsWith(`${name}: `) ?? false;
}

function asSent(method: Settings, { path }: Settings, call: Call | undefined): Settings {
  const sent = call?.sent;
  if (sent && 'params' in sent && sent.method === method['method']) return { ...method, params: sent.params };
  if (sent && 'get' in sent && typeof method['get'] === 'string') {
    const before = typeof path === 'string' ? path.replace(/\/$/, '') : '';
    return { ...method, get: sent.get.startsWith(before) ? sent.get.slice(before.length) : sent.get };
  }
  return method;
}

/** More name servers than a person asks. */
const maxServers = 4;

/** The name servers that were asked, by address; those that the fault names where it does. */
function serversOf(written: Settings, { observation, calls }: Seen): Settings {
  /** Places as settings have them, by the words of a fault. */
  const asked = new Map<string, string>();
  for (const { sent } of calls) {
    if (!sent || !('server' in sent)) continue;
    const { server, port } = sent;
    const isSix = server.includes(':');
    const named = port === 53 ? server : isSix ? `${server} port ${port}` : `${server}:${port}`;
    asked.set(named, port === 53 ? server : `${isSix ? `[${server}]` : server}:${port}`);
  }
  if (asked.size === 0) return written;
  const detail = observation.fault?.detail ?? '';
  const named = [...asked].filter(([words]) => ` ${detail}`.includes(` ${words}: `));
  const servers = (named.length > 0 ? named : [...asked]).slice(0, maxServers).map(([, place]) => place);
  // What it defaults to depends on whether servers are written.
  const { aa, ttl, soaEqual } = written;
  return {
    ...written,
    servers,
    aa: aa ?? (written['servers'] === undefined || ttl !== undefined || soaEqual === true),
  };
}
