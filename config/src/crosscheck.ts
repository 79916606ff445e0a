/** What must fit together across the pieces of a config: references, duplicates, numbers that bound each other. */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { builtInChains, families, familyPresets, referenceHost } from './chains.ts';
import type { CheckEntry, Declared, ServiceEntry } from './declared.ts';
import { fieldOf, textOf, wrong } from './decode.ts';
import type { Entry } from './decode.ts';
import { notYet, plannedChains, plannedFamilies } from './planned.ts';
import { isHeaderName } from './fields.ts';
import { nearest } from './problems.ts';
import type { Finding, Path } from './problems.ts';
import { parseVerifierKey } from './proof/note.ts';
import { limits } from './schema.ts';
import { DAY_MS, formatDuration } from './time.ts';

/** Adds a finding for everything that does not fit. Pieces that failed to decode are left out where they matter. */
export function crossCheck(declared: Declared, findings: Finding[]): void {
  const regions = regionIds(declared);
  checkUnique(declared.regions ?? [], 'region', findings);
  checkUnique(declared.probes, 'probe', findings);
  checkUnique(declared.channels, 'channel', findings);
  checkUnique(declared.services, 'service', findings);
  checkProbes(declared, regions, findings);
  checkChains(declared, findings);
  for (const service of declared.services) checkService(service, declared, regions, findings);
  checkPolicies(declared, findings);
  checkMonitorCount(declared, findings);
}

/** Ids of the declared regions; `here` when none are. */
export function regionIds(declared: Declared): string[] {
  if (declared.regions === undefined) return ['here'];
  return declared.regions.flatMap((entry) => textOf(entry.raw, 'id') ?? []);
}

/** Regions that have an enrolled probe. With no probe declared `up` makes one in the one region. */
export function watchedRegions(declared: Declared): string[] {
  const regions = regionIds(declared);
  if (declared.probes.length === 0) return regions.slice(0, 1);
  const enrolled = new Set(declared.probes.map((entry) => textOf(entry.raw, 'region')));
  return regions.filter((region) => enrolled.has(region));
}

function checkUnique(entries: readonly Entry<unknown>[], what: string, findings: Finding[]): void {
  const first = new Map<string, Path>();
  for (const { raw, path } of entries) {
    const id = textOf(raw, 'id');
    if (id === undefined) continue;
    if (first.has(id))
      findings.push(wrong([...path, 'id'], id, `a second ${what} with this id, give it another`));
    first.set(id, path);
  }
}

/** A name that must be one of those declared. */
function checkKnown(
  path: Path,
  name: unknown,
  what: string,
  known: readonly string[],
  findings: Finding[],
): void {
  if (typeof name !== 'string' || known.includes(name)) return;
  const near = nearest(name, known);
  const list = known.length === 0 ? 'none is declared' : `write one of: ${known.slice(0, 20).join(', ')}`;
  findings.push(wrong(path, name, `unknown ${what}, ${near === undefined ? list : `did you mean ${near}?`}`));
}

// ---------------------------------------------------------------- probes

const enrolRemedy =
  'run `highwater probe keygen --id ID` where the probe will run, then `highwater probe enroll VKEY --region R` prints the lines to add';

function checkProbes(declared: Declared, regions: readonly string[], findings: Finding[]): void {
  if (declared.probes.length === 0 && regions.length > 1) {
    findings.push(wrong(['probes'], undefined, `${regions.length} regions and no probe, ${enrolRemedy}`));
  }
  for (const { raw, path, value } of declared.probes) {
    checkKnown([...path, 'region'], textOf(raw, 'region'), 'region', regions, findings);
    if (!value) continue;
    const parsed = parseVerifierKey(value.key, (bytes) => createHash('sha256').update(bytes).digest());
    const at = [...path, 'key'];
    if ('error' in parsed) {
      findings.push(
        wrong(at, value.key, 'its parts do not belong together, copy the whole line that keygen printed'),
      );
    } else if (parsed.name !== value.id) {
      findings.push(
        wrong(at, value.key, `the key of ${parsed.name}, not of ${value.id}; write that id or its own key`),
      );
    }
  }
}

// ---------------------------------------------------------------- chains

function checkChains(declared: Declared, findings: Finding[]): void {
  for (const [name, { path, value }] of declared.chains) {
    if (!/^[a-z0-9][a-z0-9._-]{0,57}$/.test(name)) {
      findings.push({
        path,
        on: 'key',
        value: '(a map)',
        message: 'not a chain name, write 1 to 58 of a-z 0-9 . _ - beginning with a letter or digit',
      });
    }
    if (!value) continue;
    const builtIn = Object.hasOwn(builtInChains, name);
    checkFamily([...path, 'family'], value.family, builtIn, findings);
    if (!builtIn && value.blockTime === undefined) {
      findings.push(
        wrong(
          [...path, 'blockTime'],
          undefined,
          'required for a chain that is not built in, write for example 12s',
        ),
      );
    }
    checkReferences(path, value.references, findings);
  }
}

function checkReferences(
  path: Path,
  references: readonly { readonly url: string; readonly allowPrivate: boolean }[],
  findings: Finding[],
): void {
  const hosts = references.map(({ url }) => referenceHost(url));
  for (const [index, reference] of references.entries()) {
    const at = [...path, 'references', index];
    const host = hosts[index] ?? '';
    checkTarget(reference, at, findings);
    if (hosts.indexOf(host) < index) {
      findings.push(wrong([...at, 'url'], reference.url, 'a second reference at this host, keep one'));
    }
    if (host.length > 64) {
      findings.push(
        wrong([...at, 'url'], reference.url, 'the host is over 64 characters, use a shorter name for it'),
      );
    }
  }
}

function checkFamily(path: Path, family: string | undefined, builtIn: boolean, findings: Finding[]): void {
  if (family === undefined) {
    if (!builtIn)
      findings.push(
        wrong(path, undefined, `required for a chain that is not built in, write ${families.join(' or ')}`),
      );
  } else if (plannedFamilies.includes(family)) {
    findings.push(wrong(path, family, `${notYet}, write ${families.join(' or ')}`));
  } else {
    checkKnown(path, family, 'family', families, findings);
  }
}

function checkChainName(path: Path, name: string | undefined, declared: Declared, findings: Finding[]): void {
  if (name === undefined || declared.chains.has(name)) return;
  if (plannedChains.includes(name)) {
    findings.push(
      wrong(path, name, `${notYet}; without \`chain\`, checks of kind http and jsonrpc can watch it`),
    );
  } else {
    checkKnown(path, name, 'chain', [...Object.keys(builtInChains), ...declared.chains.keys()], findings);
  }
}

// -------------------------------------------------------------- services

function checkService(
  service: ServiceEntry,
  declared: Declared,
  regions: readonly string[],
  findings: Finding[],
): void {
  const { path, raw, nodes } = service;
  const id = textOf(raw, 'id');
  if (id?.startsWith('chain.')) {
    findings.push(
      wrong([...path, 'id'], id, 'ids beginning with chain. are reserved for references, write another'),
    );
  }
  const chain = textOf(raw, 'chain');
  checkChainName([...path, 'chain'], chain, declared, findings);
  checkUnique(nodes, 'node of this service', findings);
  for (const node of nodes) checkNode(node, findings);
  const minUp = fieldOf(raw, 'minUp');
  if (typeof minUp === 'number' && nodes.length > 0 && minUp > nodes.length) {
    findings.push(
      wrong([...path, 'minUp'], minUp, `more than there are nodes, write ${nodes.length} or less`),
    );
  }
  checkTarget(service.public?.raw, service.public?.path ?? path, findings);
  const context = { chain, regions, watched: watchedRegions(declared) };
  for (const checks of [service.checks, service.public?.checks]) {
    if (checks) checkChecks(checks, context, findings);
  }
  checkCounts(service, chain, findings);
  if (service.public && !service.public.checks && chain === undefined) {
    const remedy = 'write checks: [ { kind: http, every: 1m } ]';
    findings.push(
      wrong(
        [...service.public.path, 'checks'],
        undefined,
        `required on a service without a chain, ${remedy}`,
      ),
    );
  }
}

function checkNode({ raw, path }: Entry<unknown>, findings: Finding[]): void {
  if (textOf(raw, 'id') === 'public') {
    findings.push(wrong([...path, 'id'], 'public', 'reserved for the service’s public name, write another'));
  }
  checkTarget(raw, path, findings);
}

/** A private address that nobody allowed would only ever give the fault target.connect.private. */
function checkTarget(raw: unknown, path: Path, findings: Finding[]): void {
  checkHeaders(fieldOf(raw, 'headers'), [...path, 'headers'], findings);
  const url = textOf(raw, 'url');
  if (url === undefined || fieldOf(raw, 'allowPrivate') === true || !URL.canParse(url)) return;
  const asked = textOf(raw, 'address') ?? textOf(raw, 'address6') ?? new URL(url).hostname;
  if (isPrivateHost(asked)) {
    findings.push(
      wrong([...path, 'url'], url, 'a private or loopback address, add allowPrivate: true if that is meant'),
    );
  }
}

/** Whether a URL's host is, as written, a loopback, private or link-local one. Names are not looked up. */
export function isPrivateHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true;
  if (isIP(bare) === 4) return /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(bare);
  return isIP(bare) === 6 && (bare === '::1' || bare === '::' || /^f[cd]|^fe[89ab]/.test(bare));
}

const secretHeader = /authorization|cookie|token|secret|passw|api-?key|^x-.*key$/i;

function checkHeaders(raw: unknown, path: Path, findings: Finding[]): void {
  if (typeof raw !== 'object' || raw === null) return;
  for (const [name, value] of Object.entries(raw as Record<string, unknown>)) {
    if (typeof value !== 'string' || !isHeaderName(name)) continue;
    const at = [...path, name];
    const remedy = 'write env:HIGHWATER_SECRET_NAME or file:NAME';
    if (value.startsWith('env:')) {
      if (!/^env:HIGHWATER_SECRET_[A-Za-z0-9_]+$/.test(value)) {
        findings.push(wrong(at, value, `a probe fetches only variables named HIGHWATER_SECRET_…, ${remedy}`));
      }
    } else if (!value.startsWith('file:') && secretHeader.test(name)) {
      findings.push(wrong(at, value, `a secret must not stand in the config, ${remedy}`));
    }
  }
}

// ---------------------------------------------------------------- checks

interface CheckPlace {
  readonly chain: string | undefined;
  readonly regions: readonly string[];
  readonly watched: readonly string[];
}

function checkChecks(checks: readonly CheckEntry[], place: CheckPlace, findings: Finding[]): void {
  const ids = new Set<string>();
  for (const check of checks) {
    const written = fieldOf(check.raw, 'id') !== undefined;
    if (check.id !== undefined && ids.has(check.id)) {
      const at = [...check.path, written ? 'id' : 'kind'];
      const message =
        'a second check with this id (the kind where none is written), give it an id of its own';
      findings.push(wrong(at, check.id, message));
    }
    if (check.id !== undefined) ids.add(check.id);
    checkCheck(check, place, findings);
  }
}

function checkCheck(check: CheckEntry, place: CheckPlace, findings: Finding[]): void {
  const { path, raw, kind, value } = check;
  if (kind?.needsChain && place.chain === undefined) {
    findings.push(wrong([...path, 'kind'], kind.kind, 'needs a chain, write chain: NAME on the service'));
  }
  const regions = fieldOf(raw, 'regions');
  if (Array.isArray(regions)) {
    for (const [index, region] of regions.entries()) {
      checkKnown([...path, 'regions', index], region, 'region', place.regions, findings);
      if (regions.indexOf(region) < index) {
        findings.push(wrong([...path, 'regions', index], region, 'named twice, keep one'));
      }
    }
  }
  if (!value) return;
  checkTimes(check, findings);
  const asked = (value.regions ?? place.regions).filter((region) => place.regions.includes(region));
  const n = asked.filter((region) => place.watched.includes(region)).length;
  if (n === 0 && place.watched.length > 0 && asked.length > 0) {
    findings.push(wrong([...path, 'regions'], regions, `none of them has a probe, ${enrolRemedy}`));
  } else if (value.quorum !== undefined && n > 0 && (value.quorum * 2 <= n || value.quorum > n)) {
    const least = Math.floor(n / 2) + 1;
    const bounds = least === n ? `write ${n}` : `write ${least} to ${n}`;
    findings.push(
      wrong(
        [...path, 'quorum'],
        value.quorum,
        `must be more than half of the regions with a probe (${n}) and at most all, ${bounds}`,
      ),
    );
  }
}

function checkTimes({ path, raw, kind, value }: CheckEntry, findings: Finding[]): void {
  if (!value) return;
  if (value.timeout !== undefined && value.timeout >= value.every) {
    const message = `must be below every (${formatDuration(value.every)}), write less or leave it out`;
    findings.push(wrong([...path, 'timeout'], fieldOf(raw, 'timeout'), message));
  }
  if (value.every > DAY_MS && (value.counts ?? kind?.counts)) {
    findings.push(
      wrong(
        [...path, 'every'],
        fieldOf(raw, 'every'),
        'too long for a check that counts, write 1d or less, or counts: false',
      ),
    );
  }
}

/** Every node must have a check that makes up its uptime, unless somebody said that there is none. */
function checkCounts(service: ServiceEntry, chain: string | undefined, findings: Finding[]): void {
  const at = [...service.path, 'checks'];
  const remedy = 'write checks: [ { kind: http, every: 1m } ]';
  if (service.checks === undefined) {
    if (chain === undefined) {
      findings.push(wrong(at, undefined, `required on a service without a chain, ${remedy}, or chain: NAME`));
    }
    return;
  }
  // A check whose kind or counts could not be read may be the one that counts: it has its own finding.
  if (
    service.checks.some((check) => !check.kind || !check.value || (check.value.counts ?? check.kind.counts))
  )
    return;
  if (fieldOf(service.raw, 'counts') === 'none') return;
  if (service.nodes.length > 0 && service.nodes.every((node) => fieldOf(node.raw, 'counts') === 'none'))
    return;
  findings.push(
    wrong(
      at,
      [],
      'no check counts towards uptime, add one such as { kind: http, every: 1m }, or write counts: none on the service',
    ),
  );
}

// ---------------------------------------------------------------- alerts

function checkPolicies(declared: Declared, findings: Finding[]): void {
  const channels = declared.channels.flatMap((entry) => textOf(entry.raw, 'id') ?? []);
  const services = declared.services.flatMap((entry) => textOf(entry.raw, 'id') ?? []);
  for (const { path, value } of declared.policies) {
    for (const [index, id] of (value?.match.services ?? []).entries()) {
      checkKnown([...path, 'match', 'services', index], id, 'service', services, findings);
    }
    let last = -1;
    for (const [step, { after, notify }] of (value?.steps ?? []).entries()) {
      for (const [index, id] of notify.entries()) {
        checkKnown([...path, 'steps', step, 'notify', index], id, 'channel', channels, findings);
      }
      if (after <= last) {
        const at = [...path, 'steps', step, 'after'];
        findings.push(
          wrong(
            at,
            formatDuration(after),
            `must be later than the step before it (${formatDuration(last)}), write more`,
          ),
        );
      }
      last = after;
    }
  }
}

function checkMonitorCount(declared: Declared, findings: Finding[]): void {
  const count = declared.services.reduce(
    (sum, { nodes, checks }) => sum + nodes.length * (checks?.length ?? familyPresets['evm']?.length ?? 0),
    0,
  );
  if (count > limits.monitors) {
    findings.push(wrong(['services'], [], `${count} monitors, write at most ${limits.monitors}`));
  }
}
