/** The raw data of a config file -> its pieces, each decoded by its schema. What refers to what is judged later. */
import { z } from 'zod';
import { bare, decode, decodeList, fieldOf, listOf, textOf, unknownKey, wrong } from './decode.ts';
import type { Entry } from './decode.ts';
import { control } from './fields.ts';
import type { AnyChannelKind, AnyCheckKind, Tables } from './kinds.ts';
import { notYet, plannedChannels, plannedKinds } from './planned.ts';
import { nearest } from './problems.ts';
import type { Finding, Path } from './problems.ts';
import { limits } from './limits.ts';
import { alertsSchema, channelSchema, policySchema } from './schema-alerts.ts';
import { reportsSchema } from './schema-reports.ts';
import {
  chainSchema,
  checkSchema,
  logSchema,
  nodeSchema,
  probeSchema,
  publicSchema,
  regionSchema,
  retentionSchema,
  serviceSchema,
  siteSchema,
  spoolSchema,
  topSchema,
} from './schema.ts';
import { witnessSchema, witnessesSchema } from './schema-witnesses.ts';

export interface CheckEntry extends Entry<z.output<typeof checkSchema>> {
  /** Its id, or its kind where none is written; undefined where neither can be read. */
  readonly id: string | undefined;
  readonly kind: AnyCheckKind | undefined;
  /** The kind's own settings, as written. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface PublicEntry extends Entry<z.output<typeof publicSchema>> {
  readonly checks: readonly CheckEntry[] | undefined;
}

export interface ServiceEntry extends Entry<z.output<typeof serviceSchema>> {
  readonly nodes: readonly Entry<z.output<typeof nodeSchema>>[];
  readonly checks: readonly CheckEntry[] | undefined;
  readonly public: PublicEntry | undefined;
}

export interface ChannelEntry extends Entry<z.output<typeof channelSchema>> {
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface WitnessesEntry extends Entry<z.output<typeof witnessesSchema>> {
  readonly list: readonly Entry<z.output<typeof witnessSchema>>[];
}

export interface Declared {
  readonly site: z.output<typeof siteSchema> | undefined;
  readonly log: z.output<typeof logSchema> | undefined;
  readonly witnesses: WitnessesEntry | undefined;
  readonly operator: string | undefined;
  /** Undefined when none are declared. */
  readonly regions: readonly Entry<z.output<typeof regionSchema>>[] | undefined;
  readonly probes: readonly Entry<z.output<typeof probeSchema>>[];
  readonly chains: ReadonlyMap<string, Entry<z.output<typeof chainSchema>>>;
  readonly controls: readonly Entry<string>[];
  readonly services: readonly ServiceEntry[];
  readonly channels: readonly ChannelEntry[];
  readonly policies: readonly Entry<z.output<typeof policySchema>>[];
  readonly reports: z.output<typeof reportsSchema> | undefined;
  readonly retention: z.output<typeof retentionSchema> | undefined;
  readonly spool: z.output<typeof spoolSchema> | undefined;
}

/** Decodes every piece; mistakes go to `findings`. */
export function readDeclared(raw: unknown, tables: Tables, findings: Finding[]): Declared {
  checkTop(raw, findings);
  const top = (name: string) => fieldOf(raw, name);
  const section = <S extends z.ZodType>(schema: S, name: string) =>
    top(name) === undefined ? undefined : decode(schema, top(name), [name], findings);
  const regions = top('regions');
  return {
    site: section(siteSchema, 'site'),
    log: section(logSchema, 'log'),
    witnesses: readWitnesses(top('witnesses'), findings),
    operator: textOf(raw, 'operator'),
    regions:
      regions === undefined
        ? undefined
        : decodeList(regionSchema, regions, ['regions'], limits.regions, findings),
    probes: decodeList(probeSchema, top('probes'), ['probes'], limits.probes, findings),
    chains: readChains(top('chains'), findings),
    controls: decodeList(control, top('controls'), ['controls'], limits.controls, findings),
    services: listOf(top('services'), ['services'], limits.services, findings).map((service, index) =>
      readService(service, ['services', index], tables, findings),
    ),
    ...readAlerts(top('alerts'), tables, findings),
    reports: decode(reportsSchema, top('reports') ?? {}, ['reports'], findings),
    retention: decode(retentionSchema, top('retention') ?? {}, ['retention'], findings),
    spool: section(spoolSchema, 'spool'),
  };
}

/** The top level and the sections that hold lists: their own keys and types, nothing inside. */
function checkTop(raw: unknown, findings: Finding[]): void {
  const later = z.unknown().optional();
  const shallow = {
    site: later,
    log: later,
    witnesses: later,
    alerts: later,
    reports: later,
    retention: later,
    spool: later,
  };
  const keys = { ...topSchema.shape, ...shallow };
  decode(z.strictObject(keys), raw, [], findings);
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return;
  if (fieldOf(raw, 'site') === undefined) {
    findings.push(
      wrong(['site'], undefined, 'required, write site: { name: My Nodes, url: http://localhost:3000 }'),
    );
  }
  const services = fieldOf(raw, 'services');
  if (Array.isArray(services) && services.length === 0) {
    findings.push(wrong(['services'], services, 'an empty list, declare at least one service'));
  }
}

function readWitnesses(raw: unknown, findings: Finding[]): WitnessesEntry | undefined {
  if (raw === undefined) return undefined;
  const path = ['witnesses'];
  return {
    path,
    raw,
    value: decode(witnessesSchema, raw, path, findings),
    list: decodeList(witnessSchema, fieldOf(raw, 'list'), [...path, 'list'], limits.witnesses, findings),
  };
}

function readChains(raw: unknown, findings: Finding[]): Declared['chains'] {
  const chains = new Map<string, Entry<z.output<typeof chainSchema>>>();
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return chains;
  const entries = Object.entries(raw as Record<string, unknown>);
  if (entries.length > limits.chains) {
    findings.push(wrong(['chains'], raw, `${entries.length} chains, write at most ${limits.chains}`));
  }
  for (const [name, chain] of entries.slice(0, limits.chains)) {
    const path = ['chains', name];
    chains.set(name, { path, raw: chain, value: decode(chainSchema, chain, path, findings) });
  }
  return chains;
}

function readService(raw: unknown, path: Path, tables: Tables, findings: Finding[]): ServiceEntry {
  const value = decode(serviceSchema, raw, path, findings);
  const checks = fieldOf(raw, 'checks');
  const shown = fieldOf(raw, 'public');
  return {
    path,
    raw,
    value,
    nodes: decodeList(nodeSchema, fieldOf(raw, 'nodes'), [...path, 'nodes'], limits.nodes, findings),
    checks: checks === undefined ? undefined : readChecks(checks, [...path, 'checks'], tables, findings),
    public: shown === undefined ? undefined : readPublic(shown, [...path, 'public'], tables, findings),
  };
}

function readPublic(raw: unknown, path: Path, tables: Tables, findings: Finding[]): PublicEntry {
  const checks = fieldOf(raw, 'checks');
  return {
    path,
    raw,
    value: decode(publicSchema, raw, path, findings),
    checks: checks === undefined ? undefined : readChecks(checks, [...path, 'checks'], tables, findings),
  };
}

/** The checks of a node or public name, as written or as a preset has them. */
export function readChecks(raw: unknown, path: Path, tables: Tables, findings: Finding[]): CheckEntry[] {
  return listOf(raw, path, limits.checks, findings).map((check, index) =>
    readCheck(check, [...path, index], tables, findings),
  );
}

function readCheck(raw: unknown, path: Path, tables: Tables, findings: Finding[]): CheckEntry {
  const [common, settings] = split(raw, Object.keys(checkSchema.shape));
  const value = decode(checkSchema, common, path, findings);
  const name = textOf(raw, 'kind');
  const kind = name === undefined ? undefined : lookUp(tables.checks, name);
  if (kind) decodeSettings(kind, settings, path, Object.keys(checkSchema.shape), findings);
  else if (name !== undefined)
    findings.push(unknownKind([...path, 'kind'], name, Object.keys(tables.checks), plannedKinds));
  return { path, raw, value, id: textOf(raw, 'id') ?? name, kind, settings };
}

function readAlerts(
  raw: unknown,
  tables: Tables,
  findings: Finding[],
): Pick<Declared, 'channels' | 'policies'> {
  if (raw !== undefined) decode(alertsSchema, raw, ['alerts'], findings);
  const path = ['alerts', 'channels'];
  return {
    channels: listOf(fieldOf(raw, 'channels'), path, limits.channels, findings).map((channel, index) =>
      readChannel(channel, [...path, index], tables, findings),
    ),
    policies: decodeList(
      policySchema,
      fieldOf(raw, 'policies'),
      ['alerts', 'policies'],
      limits.policies,
      findings,
    ),
  };
}

function readChannel(raw: unknown, path: Path, tables: Tables, findings: Finding[]): ChannelEntry {
  const [common, settings] = split(raw, Object.keys(channelSchema.shape));
  const value = decode(channelSchema, common, path, findings);
  const name = textOf(raw, 'kind');
  const kind = name === undefined ? undefined : lookUp(tables.channels, name);
  if (kind) decodeSettings(kind, settings, path, Object.keys(channelSchema.shape), findings);
  else if (name !== undefined) {
    findings.push(unknownKind([...path, 'kind'], name, Object.keys(tables.channels), plannedChannels));
  }
  return { path, raw, value, settings };
}

/** The entry's common keys, and the rest, which belongs to its kind. Anything but a map passes as it is. */
function split(raw: unknown, common: readonly string[]): [unknown, Readonly<Record<string, unknown>>] {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return [raw, {}];
  const entries = Object.entries(raw as Record<string, unknown>);
  const isCommon = ([name]: [string, unknown]) => common.includes(name);
  return [
    Object.fromEntries(entries.filter(isCommon)),
    Object.fromEntries(entries.filter((entry) => !isCommon(entry))),
  ];
}

/** The kind's schema judges its settings; keys it does not know are refused even where it would drop them. */
function decodeSettings(
  kind: AnyCheckKind | AnyChannelKind,
  settings: Readonly<Record<string, unknown>>,
  path: Path,
  common: readonly string[],
  findings: Finding[],
): void {
  const inside = bare(kind.settings);
  const known = inside instanceof z.ZodObject ? Object.keys(inside.shape) : undefined;
  const names = Object.keys(settings);
  const unknown = known ? names.filter((name) => !known.includes(name)) : [];
  for (const name of unknown) {
    findings.push(unknownKey([...path, name], settings[name], [...common, ...(known ?? [])]));
  }
  const rest = Object.fromEntries(Object.entries(settings).filter(([name]) => !unknown.includes(name)));
  decode(kind.settings, rest, path, findings);
}

function lookUp<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function unknownKind(
  path: Path,
  name: string,
  built: readonly string[],
  planned: readonly string[],
): Finding {
  const list = built.join(', ');
  if (planned.includes(name)) return wrong(path, name, `${notYet}, write one of: ${list}`);
  const near = nearest(name, built);
  return wrong(
    path,
    name,
    near === undefined ? `unknown kind, write one of: ${list}` : `unknown kind, did you mean ${near}?`,
  );
}
