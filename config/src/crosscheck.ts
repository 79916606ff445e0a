/** What must fit together across the pieces of a config: references, duplicates, numbers that bound each other. */
import { createHash } from 'node:crypto';
import { familyPresets } from './presets.ts';
import { checkPolicies, checkReports } from './crosscheck-alerts.ts';
import { checkChains } from './crosscheck-chains.ts';
import { checkKnown, checkUnique, enrolRemedy, regionIds } from './crosscheck-common.ts';
import { checkService } from './crosscheck-services.ts';
import { checkWitnesses } from './crosscheck-witnesses.ts';
import type { CheckEntry, Declared } from './declared.ts';
import { textOf, wrong } from './decode.ts';
import { familiesOf } from './families.ts';
import type { Finding } from './problems.ts';
import { parseVerifierKey } from './proof/note.ts';
import { limits } from './limits.ts';

/** Adds a finding for everything that does not fit. Pieces that failed to decode are left out where they matter. */
export function crossCheck(declared: Declared, findings: Finding[]): void {
  const regions = regionIds(declared);
  checkUnique(declared.regions ?? [], 'region', findings);
  checkUnique(declared.probes, 'probe', findings);
  checkUnique(declared.channels, 'channel', findings);
  checkUnique(declared.services, 'service', findings);
  checkProbes(declared, regions, findings);
  checkWitnesses(declared, findings);
  checkChains(declared, findings);
  for (const service of declared.services) checkService(service, declared, regions, findings);
  checkPolicies(declared, findings);
  checkReports(declared, findings);
  checkMonitorCount(declared, findings);
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function checkProbes(declared: Declared, regions: readonly string[], findings: Finding[]): void {
  if (declared.probes.length === 0 && regions.length > 1) {
    findings.push(wrong(['probes'], undefined, `${regions.length} regions and no probe, ${enrolRemedy}`));
  }
  for (const { raw, path, value } of declared.probes) {
    checkKnown([...path, 'region'], textOf(raw, 'region'), 'region', regions, findings);
    if (!value) continue;
    const parsed = parseVerifierKey(value.key, sha256);
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

/** A service without checks gets those of its chain's family; which one that is does not matter here. */
const mostPresets = Math.max(...Object.values(familyPresets).map((preset) => preset.length));

function monitorsEach({ value }: CheckEntry): number {
  return familiesOf('', value?.family ?? 'any').length;
}

function checkMonitorCount(declared: Declared, findings: Finding[]): void {
  const count = declared.services.reduce(
    (sum, { nodes, checks }) =>
      sum + nodes.length * (checks?.reduce((each, check) => each + monitorsEach(check), 0) ?? mostPresets),
    0,
  );
  if (count > limits.monitors) {
    findings.push(wrong(['services'], [], `${count} monitors, write at most ${limits.monitors}`));
  }
}
