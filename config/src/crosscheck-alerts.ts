/** Policies: channels and services that they name, and the order of their steps. */
import { checkKnown } from './crosscheck-common.ts';
import type { Declared } from './declared.ts';
import { textOf, wrong } from './decode.ts';
import type { Finding } from './problems.ts';
import { formatDuration } from './time.ts';

/** The channels that reports are sent to. */
export function checkReports(declared: Declared, findings: Finding[]): void {
  const channels = declared.channels.flatMap((entry) => textOf(entry.raw, 'id') ?? []);
  for (const [index, id] of (declared.reports?.to ?? []).entries()) {
    checkKnown(['reports', 'to', index], id, 'channel', channels, findings);
  }
}

export function checkPolicies(declared: Declared, findings: Finding[]): void {
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
