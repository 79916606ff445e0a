/** Which policies an incident belongs to. Pure. */
import type { Incident } from '@highwater/config/domain.ts';
import type { Policy } from '@highwater/config/model.ts';

/** A policy that an incident belongs to, and why. */
export interface Match {
  readonly policy: Policy;
  /** Stands for the policy's content: an edited policy is another one. */
  readonly key: string;
  readonly because: string;
}

/** Incidents under these keys are this process's own and concern every service: the collector does not answer, */
export const collectorKey = 'collector:silent';
/** or too few regions are heard for any verdict. */
export const blindKey = 'regions:silent';
/** What the collector raised an alarm for is told as an incident under `alarm:KEY`, of no service either. */
export const alarmKey = 'alarm:';

/** Whether an incident is this process's own: it hears or finds that by itself, and the collector lists no such one. */
export function isOwn(incident: Pick<Incident, 'key'>): boolean {
  return incident.key === collectorKey || incident.key === blindKey;
}

/** Whether it is of the house and not of what it watches: no page of it exists. */
export function isOfTheHouse(incident: Pick<Incident, 'key'>): boolean {
  return isOwn(incident) || incident.key.startsWith(alarmKey);
}

/** Stands for a policy's content. */
export function policyKey(policy: Policy): string {
  return JSON.stringify([
    policy.match.impact ?? null,
    policy.match.services ?? null,
    policy.steps,
    policy.repeatMs ?? 0,
  ]);
}

/**
 * The policies whose impact and services both match. A list that is left out matches all.
 * Impact none never alerts (CONTRACTS "Impact": it is a notice). What is of the house concerns every service,
 * so services are not asked for, and if no policy wants its impact it goes to all of them: nobody else will tell.
 */
export function route(incident: Incident, policies: readonly Policy[]): readonly Match[] {
  if (incident.impact === 'none') return [];
  const ofTheHouse = isOfTheHouse(incident);
  const matches = policies.flatMap((policy) => {
    const { impact, services } = policy.match;
    if (impact && !impact.includes(incident.impact)) return [];
    const service = ofTheHouse ? undefined : services?.find((id) => incident.services.includes(id));
    if (!ofTheHouse && services && service === undefined) return [];
    const because = `a policy asks for impact ${incident.impact}${service === undefined ? '' : ` on ${service}`}`;
    return [{ policy, key: policyKey(policy), because }];
  });
  if (matches.length > 0 || !ofTheHouse) return matches;
  return policies.map((policy) => ({
    policy,
    key: policyKey(policy),
    because: 'no policy asks for this impact, and nobody else would tell',
  }));
}
