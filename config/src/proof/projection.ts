/**
 * The canonical public text of a configuration, which the configuration leaf commits to: a header, then one
 * line a fact, sorted bytewise, no JSON. It holds every setting that changes an outcome or a judgement.
 */
import type { Hash } from './bytes.ts';
import { compareBytewise, encodeHex, isId, isMonitorId, parseDecimal, utf8 } from './bytes.ts';
import { decodeToken, encodeToken } from './settings.ts';

const HEADER = 'highwater/projection/v1';
/** A larger projection is refused unread. */
export const MAX_PROJECTION_CHARS = 16_777_216;

export interface RuleProbe {
  readonly id: string;
  readonly region: string;
  readonly operator: string;
  readonly vkey: string;
}

export interface RuleReference {
  readonly host: string;
  readonly operator: string;
}

export interface RuleChain {
  readonly name: string;
  readonly family: string;
  /** A name is never all digits. */
  readonly chainId?: number | string;
  readonly genesis?: string;
  readonly blockTimeMs: number;
  readonly maxLagBlocks: number;
  readonly maxAgeMs: number;
  readonly maxFinalityLagBlocks?: number;
  readonly forkDepthBlocks?: number;
  readonly references: readonly RuleReference[];
}

export interface RuleNode {
  readonly id: string;
  readonly zone: string;
  readonly operator: string;
  /** saltedHash of its URL, hex. */
  readonly urlHash: string;
}

export interface RuleService {
  readonly id: string;
  readonly minUp: number;
  readonly visibility: 'public' | 'private';
  readonly chain?: string;
  readonly nodes: readonly RuleNode[];
}

export interface RuleMonitor {
  /** `service/node/check`; references are `chain.NAME/HOST/head`. */
  readonly id: string;
  readonly kind: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly chain?: string;
  /** Refusals are written as skipped. */
  readonly refusals?: 'skip';
  /** Asked over this address family alone. */
  readonly family?: 4 | 6;
  /** saltedHash of where it asks (URL, fixed addresses, address family, header names and references), hex. */
  readonly targetHash: string;
  /** canonicalSettings of what the operator wrote; saltedHash lines where they are private. */
  readonly settings: readonly string[];
  /** Region ids; already defaulted to all. */
  readonly regions: readonly string[];
  /** Q; undefined means floor(n / 2) + 1. */
  readonly quorum?: number;
  readonly counts: boolean;
}

/** A configuration as far as the number depends on it. */
export interface RuleConfig {
  /** 32 hex digits, made at first start. */
  readonly seed: string;
  /** Who runs what says nothing else: whether a probe is somebody else's is held against it. Older texts have none. */
  readonly operator?: string;
  readonly regions: readonly string[];
  readonly probes: readonly RuleProbe[];
  readonly controls: readonly string[];
  readonly chains: readonly RuleChain[];
  readonly services: readonly RuleService[];
  readonly monitors: readonly RuleMonitor[];
}

/** What a text is when it must not be readable but a change of it must show: SHA-256(salt LF text), hex. */
export function saltedHash(salt: string, text: string, hash: Hash): string {
  return encodeHex(hash(utf8(`${salt}\n${text}`)));
}

/** The one text of a configuration, whatever the order of its parts. */
export function formatProjection(c: RuleConfig): string {
  const lines = [
    `seed ${c.seed}`,
    ...(c.operator === undefined ? [] : [`operator ${encodeToken(c.operator)}`]),
    ...c.regions.map((id) => `region ${id}`),
    ...c.probes.map((p) => `probe ${p.id} ${p.region} ${p.vkey} ${encodeToken(p.operator)}`),
    ...c.controls.map((url) => `control ${encodeToken(url)}`),
    ...c.chains.flatMap(chainLines),
    ...c.services.flatMap(serviceLines),
    ...c.monitors.flatMap((m) => [...askLines(m), judgeLine(m)]),
  ];
  return `${[HEADER, ...lines.sort(compareBytewise)].join('\n')}\n`;
}

function chainLine(c: RuleChain): string {
  const id = typeof c.chainId === 'string' ? encodeToken(c.chainId) : (c.chainId ?? '-');
  const limits = [c.blockTimeMs, c.maxLagBlocks, c.maxAgeMs].join(' ');
  const finality = c.maxFinalityLagBlocks === undefined ? '' : ` finality=${c.maxFinalityLagBlocks}`;
  const fork = c.forkDepthBlocks === undefined ? '' : ` fork=${c.forkDepthBlocks}`;
  return `chain ${c.name} ${c.family} ${id} ${c.genesis ?? '-'} ${limits}${finality}${fork}`;
}

function chainLines(c: RuleChain): string[] {
  return [
    chainLine(c),
    ...c.references.map((r) => `reference ${c.name} ${r.host} ${encodeToken(r.operator)}`),
  ];
}

function serviceLines(s: RuleService): string[] {
  const nodes = s.nodes.map((n) => `node ${s.id}/${n.id} ${n.zone} ${n.urlHash} ${encodeToken(n.operator)}`);
  return [`service ${s.id} ${s.minUp} ${s.visibility} ${s.chain ?? '-'}`, ...nodes];
}

/** What is asked: the lines that decide what a probe sees. */
function askLines(m: RuleMonitor): string[] {
  const asked = `monitor ${m.id} ${m.kind} ${m.intervalMs} ${m.timeoutMs} ${m.chain ?? '-'} ${m.targetHash}`;
  const refusals = m.refusals === undefined ? '' : ` refusals=${m.refusals}`;
  const family = m.family === undefined ? '' : ` family=${m.family}`;
  return [`${asked}${refusals}${family}`, ...m.settings.map((setting) => `set ${m.id} ${setting}`)];
}

/** How the answers are judged. */
function judgeLine(m: RuleMonitor): string {
  const regions = [...m.regions].sort(compareBytewise).join(',');
  return `judge ${m.id} ${m.counts ? 'counts' : '-'} ${m.quorum ?? '-'} ${regions === '' ? '-' : regions}`;
}

/**
 * A monitor's entry, as the clause on a configuration that is not in force compares it: what is asked, with the
 * limits of its chain. How answers are judged is not in it: it does not change what a probe saw.
 */
export function entryOf(config: RuleConfig, monitor: RuleMonitor): string {
  const chain = config.chains.find((c) => c.name === monitor.chain);
  return [...askLines(monitor), ...(chain ? [chainLine(chain)] : [])].sort(compareBytewise).join('\n');
}

/** Reads a projection; accepts exactly what formatProjection writes. Never throws. */
export function parseProjection(text: string): RuleConfig | { error: string } {
  if (text.length > MAX_PROJECTION_CHARS)
    return { error: `the projection has over ${MAX_PROJECTION_CHARS} characters` };
  if (!text.endsWith('\n')) return { error: 'the projection does not end in a line feed' };
  const [header, ...lines] = text.slice(0, -1).split('\n');
  if (header !== HEADER) return { error: `the first line is not ${HEADER}` };
  if (lines.some((line, i) => i > 0 && line <= (lines[i - 1] ?? ''))) {
    return { error: 'the lines of the projection are not sorted, each once' };
  }
  const draft = newDraft();
  for (const [i, line] of lines.entries()) {
    const space = line.indexOf(' ');
    const word = line.slice(0, space);
    const read = Object.hasOwn(readers, word) ? readers[word] : undefined;
    if (!read?.(draft, line.slice(space + 1).split(' ')))
      return { error: `line ${i + 2} of the projection is malformed` };
  }
  const config = finish(draft);
  if (!config)
    return { error: 'the projection names a service, chain or monitor that it does not have, or one twice' };
  return formatProjection(config) === text
    ? config
    : { error: 'the projection is not in its one accepted spelling' };
}

type Open<T> = { -readonly [K in keyof T]: T[K] };
type Judged = Pick<RuleMonitor, 'regions' | 'quorum' | 'counts'>;
type Asked = Omit<RuleMonitor, keyof Judged | 'settings'>;

interface Draft {
  seed: string | undefined;
  operator: string | undefined;
  readonly regions: string[];
  readonly probes: RuleProbe[];
  readonly controls: string[];
  readonly chains: Omit<RuleChain, 'references'>[];
  readonly references: Map<string, RuleReference[]>;
  readonly services: Omit<RuleService, 'nodes'>[];
  readonly nodes: Map<string, RuleNode[]>;
  readonly asked: Asked[];
  readonly settings: Map<string, string[]>;
  readonly judged: Map<string, Judged>;
}

function newDraft(): Draft {
  const lists = { regions: [], probes: [], controls: [], chains: [], services: [], asked: [] };
  const maps = { references: new Map(), nodes: new Map(), settings: new Map(), judged: new Map() };
  return { seed: undefined, operator: undefined, ...lists, ...maps };
}

function add<T>(map: Map<string, T[]>, key: string, value: T): true {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
  return true;
}

const isHex32 = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);
const isVkey = (text: string): boolean => /^[^\s+]{1,64}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}$/.test(text);

/** One reader a word: adds the fields to the draft; false when they do not fit. Spelling is checked at the end. */
const readers: Readonly<Record<string, (draft: Draft, fields: string[]) => boolean>> = {
  seed(draft, [seed = '', ...more]) {
    if (draft.seed !== undefined || more.length > 0 || !/^[0-9a-f]{32}$/.test(seed)) return false;
    draft.seed = seed;
    return true;
  },
  operator(draft, [token = '', ...more]) {
    draft.operator = decodeToken(token);
    return draft.operator !== undefined && more.length === 0;
  },
  region(draft, [id = '', ...more]) {
    return isId(id) && more.length === 0 && draft.regions.push(id) > 0;
  },
  probe(draft, [id = '', region = '', vkey = '', token = '', ...more]) {
    const operator = decodeToken(token);
    if (more.length > 0 || !isId(id) || !isId(region) || !isVkey(vkey) || operator === undefined)
      return false;
    return draft.probes.push({ id, region, operator, vkey }) > 0;
  },
  control(draft, [token = '', ...more]) {
    const url = decodeToken(token);
    return url !== undefined && more.length === 0 && draft.controls.push(url) > 0;
  },
  chain(draft, [name = '', family = '', id = '', genesis = '', block = '', lag = '', age = '', ...more]) {
    const [blockTimeMs, maxLagBlocks, maxAgeMs] = [parseDecimal(block), parseDecimal(lag), parseDecimal(age)];
    const chainId = id === '-' ? undefined : /^[0-9]+$/.test(id) ? parseDecimal(id) : decodeToken(id);
    if (blockTimeMs === undefined || maxLagBlocks === undefined || maxAgeMs === undefined) return false;
    if (!isId(name) || !isId(family) || (chainId === undefined && id !== '-')) return false;
    if (!/^(?:-|[A-Za-z0-9+/=]{1,128})$/.test(genesis)) return false;
    const chain: Open<Omit<RuleChain, 'references'>> = { name, family, blockTimeMs, maxLagBlocks, maxAgeMs };
    if (chainId !== undefined) chain.chainId = chainId;
    if (genesis !== '-') chain.genesis = genesis;
    for (const field of more) {
      const [key = '', text = ''] = field.split('=');
      const blocks = parseDecimal(text);
      if (blocks === undefined) return false;
      if (key === 'finality') chain.maxFinalityLagBlocks = blocks;
      else if (key === 'fork') chain.forkDepthBlocks = blocks;
      else return false;
    }
    return draft.chains.push(chain) > 0;
  },
  reference(draft, [chain = '', host = '', token = '', ...more]) {
    const operator = decodeToken(token);
    if (more.length > 0 || !isId(host) || operator === undefined) return false;
    return add(draft.references, chain, { host, operator });
  },
  service(draft, [id = '', min = '', visibility = '', chain = '', ...more]) {
    const minUp = parseDecimal(min);
    if (more.length > 0 || !isId(id) || minUp === undefined || !(chain === '-' || isId(chain))) return false;
    if (visibility !== 'public' && visibility !== 'private') return false;
    return draft.services.push({ id, minUp, visibility, ...(chain === '-' ? {} : { chain }) }) > 0;
  },
  node(draft, [path = '', zone = '', urlHash = '', token = '', ...more]) {
    const [service = '', id = '', ...deeper] = path.split('/');
    const operator = decodeToken(token);
    if (more.length > 0 || deeper.length > 0 || !isId(id) || !isId(zone)) return false;
    if (!isHex32(urlHash) || operator === undefined) return false;
    return add(draft.nodes, service, { id, zone, operator, urlHash });
  },
  monitor(draft, [id = '', kind = '', every = '', limit = '', chain = '', targetHash = '', ...more]) {
    const [intervalMs, timeoutMs] = [parseDecimal(every), parseDecimal(limit)];
    if (intervalMs === undefined || intervalMs === 0 || timeoutMs === undefined) return false;
    if (!isMonitorId(id) || !isId(kind) || !isHex32(targetHash) || !(chain === '-' || isId(chain)))
      return false;
    const monitor: Open<Asked> = { id, kind, intervalMs, timeoutMs, targetHash };
    if (chain !== '-') monitor.chain = chain;
    for (const word of more) {
      if (word === 'refusals=skip') monitor.refusals = 'skip';
      else if (word === 'family=4' || word === 'family=6') monitor.family = word === 'family=4' ? 4 : 6;
      else return false;
    }
    return draft.asked.push(monitor) > 0;
  },
  set(draft, [id = '', path = '', value = '', ...more]) {
    const printable = /^[\x21-\x7e]+$/.test(path) && /^[\x21-\x7e]+$/.test(value);
    return printable && more.length === 0 && add(draft.settings, id, `${path} ${value}`);
  },
  judge(draft, [id = '', counts = '', q = '', list = '', ...more]) {
    const quorum = q === '-' ? undefined : parseDecimal(q);
    const regions = list === '-' ? [] : list.split(',');
    if (more.length > 0 || draft.judged.has(id) || (quorum === undefined && q !== '-')) return false;
    if ((counts !== 'counts' && counts !== '-') || !regions.every(isId)) return false;
    draft.judged.set(id, {
      counts: counts === 'counts',
      regions,
      ...(quorum === undefined ? {} : { quorum }),
    });
    return true;
  },
};

/** Puts the parts together; undefined where one names another that is not there, or an id stands twice. */
function finish(d: Draft): RuleConfig | undefined {
  const owners: readonly [ReadonlyMap<string, unknown>, readonly string[]][] = [
    [d.references, d.chains.map((c) => c.name)],
    [d.nodes, d.services.map((s) => s.id)],
    [d.settings, d.asked.map((m) => m.id)],
    [d.judged, d.asked.map((m) => m.id)],
    [new Map(), d.probes.map((p) => p.id)],
  ];
  const orphans = owners.some(([parts, ids]) => {
    const known = new Set(ids);
    return [...parts.keys()].some((id) => !known.has(id));
  });
  const twice = owners.some(([, ids]) => new Set(ids).size < ids.length);
  if (d.seed === undefined || orphans || twice || d.judged.size < d.asked.length) return undefined;
  return {
    seed: d.seed,
    ...(d.operator === undefined ? {} : { operator: d.operator }),
    regions: d.regions,
    probes: d.probes,
    controls: d.controls,
    chains: d.chains.map((c) => ({ ...c, references: d.references.get(c.name) ?? [] })),
    services: d.services.map((s) => ({ ...s, nodes: d.nodes.get(s.id) ?? [] })),
    monitors: d.asked.map((m) => ({
      ...m,
      settings: d.settings.get(m.id) ?? [],
      ...(d.judged.get(m.id) ?? { regions: [], counts: false }),
    })),
  };
}
