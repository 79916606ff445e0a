/** How bad it is for the people who use a service. CONTRACTS "Live", impact. */
import type { Impact, Status } from '@highwater/config/domain.ts';
import type { Judgement, Topology } from './types.ts';

/**
 * Impact on one service now: major when it is down, minor when it or a node of it is degraded or a node is down
 * while `minUp` holds, none when some regions see trouble, undefined when there is nothing to tell.
 */
export function serviceImpact(service: Judgement, nodes: readonly Judgement[]): Impact | undefined {
  if (service.status === 'down') return 'major';
  const hurt = nodes.some((node) => node.status === 'down' || node.status === 'degraded');
  if (service.status === 'degraded' || hurt) return 'minor';
  return service.notice === undefined ? undefined : 'none';
}

/**
 * Impact of what one story carries: critical when every service of a group of two or more is down and one of them is
 * in the story, major when a service in it is down or a certificate is about to expire, else minor.
 * @param carried subjects that the story tells of: service ids and `service/node` ids
 * @param statusOf last known status of a subject, unknown not counted
 * @param isUrgent whether a certificate of a subject is about to expire
 */
export function storyImpact(
  topology: Topology,
  carried: readonly string[],
  statusOf: (subject: string) => Status | undefined,
  isUrgent: (subject: string) => boolean = () => false,
): Impact {
  const down = topology.services.filter((s) => carried.includes(s.id) && statusOf(s.id) === 'down');
  const critical = down.some((s) => groupIsDown(topology, s.group, statusOf));
  if (critical) return 'critical';
  return down.length > 0 || carried.some(isUrgent) ? 'major' : 'minor';
}

function groupIsDown(
  topology: Topology,
  group: string | undefined,
  statusOf: (subject: string) => Status | undefined,
): boolean {
  const members = topology.services.filter((s) => group !== undefined && s.group === group);
  return members.length >= 2 && members.every((s) => statusOf(s.id) === 'down');
}
