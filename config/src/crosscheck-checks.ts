/** Checks: ids, regions, quorum, times, and whether anything counts. */
import { checkKnown, enrolRemedy } from './crosscheck-common.ts';
import type { CheckEntry, ServiceEntry } from './declared.ts';
import { fieldOf, textOf, wrong } from './decode.ts';
import type { Entry } from './decode.ts';
import { type Addressed, familiesOf, familyTrouble, maxCheckIdLength } from './families.ts';
import type { Finding } from './problems.ts';
import { DAY_MS, formatDuration, parseDurationMs } from './time.ts';

export interface CheckPlace {
  readonly chain: string | undefined;
  readonly regions: readonly string[];
  readonly watched: readonly string[];
  /** The nodes, or the public name, that get each check. */
  readonly targets: readonly Entry<Addressed>[];
}

export function checkChecks(checks: readonly CheckEntry[], place: CheckPlace, findings: Finding[]): void {
  const ids = new Set<string>();
  for (const check of checks) {
    const written = fieldOf(check.raw, 'id') !== undefined;
    const at = [...check.path, written ? 'id' : 'kind'];
    const choice = check.value?.family ?? 'any';
    for (const { id } of check.id === undefined ? [] : familiesOf(check.id, choice)) {
      if (ids.has(id)) {
        const message =
          choice === 'apart'
            ? `another check has the id ${id}, which family: apart gives this one, give one of them another id`
            : 'a second check with this id (the kind where none is written), give it an id of its own';
        findings.push(wrong(at, check.id, message));
      }
      ids.add(id);
      if (choice === 'apart' && id.length > maxCheckIdLength) {
        findings.push(
          wrong(at, check.id, 'too long for family: apart, write an id of at most 60 characters'),
        );
        break;
      }
    }
    checkCheck(check, place, findings);
  }
}

function checkCheck(check: CheckEntry, place: CheckPlace, findings: Finding[]): void {
  const { path, raw, kind, value, settings } = check;
  if (kind?.needsChain && place.chain === undefined) {
    findings.push(wrong([...path, 'kind'], kind.kind, 'needs a chain, write chain: NAME on the service'));
  } else if (kind?.needsChainFor?.(settings) && place.chain === undefined) {
    const message = 'counts from the head, which needs a chain, write chain: NAME on the service';
    findings.push(wrong([...path, 'kind'], kind.kind, message));
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
  checkTimes(check, findings);
  if (!value) return;
  checkFamily(check, place.targets, findings);
  checkSense(check, place.targets, findings);
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

/** A target without an address of the family asked for would only ever give the fault resolver.resolve.nodata. */
function checkFamily(
  { path, raw, kind, value }: CheckEntry,
  targets: CheckPlace['targets'],
  findings: Finding[],
): void {
  if (!value || kind?.asksTarget === false) return;
  for (const target of targets) {
    if (!target.value) continue;
    for (const { family } of familiesOf('', value.family)) {
      const trouble = family === undefined ? undefined : familyTrouble(target.value, family);
      if (trouble === undefined) continue;
      const name = textOf(target.raw, 'id');
      const whose = name === undefined ? 'the public name' : `node ${name}`;
      findings.push(wrong([...path, 'family'], fieldOf(raw, 'family'), `${whose} ${trouble}`));
    }
  }
}

/** What would only ever be skipped, as the kind knows. One mistake is told once, whatever the number of targets. */
function checkSense(
  { path, kind, value, settings }: CheckEntry,
  targets: CheckPlace['targets'],
  findings: Finding[],
): void {
  for (const target of targets) {
    if (!target.value || !value || !URL.canParse(target.value.url)) continue;
    for (const { family } of familiesOf('', value.family)) {
      const trouble = kind?.troubleWith?.(settings, { url: target.value.url, family });
      if (!trouble) continue;
      const { key, message } = trouble;
      findings.push(wrong([...path, key], fieldOf(settings, key), message));
      return;
    }
  }
}

function checkTimes({ path, raw, kind, value }: CheckEntry, findings: Finding[]): void {
  // Another mistake in the check hides none here.
  const every = value?.every ?? parseDurationMs(textOf(raw, 'every') ?? '');
  const timeout = value ? value.timeout : parseDurationMs(textOf(raw, 'timeout') ?? '');
  if (timeout !== undefined && every !== undefined && timeout >= every) {
    const message = `must be below every (${formatDuration(every)}), write less or leave it out`;
    findings.push(wrong([...path, 'timeout'], fieldOf(raw, 'timeout'), message));
  }
  if (!value) return;
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
export function checkCounts(service: ServiceEntry, chain: string | undefined, findings: Finding[]): void {
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
