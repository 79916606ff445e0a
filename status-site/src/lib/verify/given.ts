/** What a reader brings along, looked at before anything is read. Pure. */
import { sha256 } from '@noble/hashes/sha2.js';
import { parseAnchor } from '@highwater/config/bundle/anchors.ts';
import { isId } from '@highwater/config/proof/bytes.ts';
import { parseVerifierKey } from '@highwater/config/proof/note.ts';
import { parsePolicy } from '@highwater/config/proof/policy.ts';
import type { Task } from './messages.ts';

/** One sentence that names the field; undefined when all of it can be used. */
export function refusedOf({
  service,
  operatorKey,
  policy,
  anchors = [],
}: Omit<Task, 'source'>): string | undefined {
  if (service !== undefined && !isId(service))
    return `Service: '${service.slice(0, 80)}' is no id of a service.`;
  if (operatorKey !== undefined) {
    const key = parseVerifierKey(operatorKey, sha256);
    if ('error' in key) return `Operator's key: ${key.error}.`;
  }
  if (policy !== undefined) {
    const parsed = parsePolicy(policy, sha256);
    if ('error' in parsed) return `Policy: ${parsed.error}.`;
  }
  for (const anchor of anchors) {
    const parsed = parseAnchor(anchor);
    if ('error' in parsed) return `Anchor '${anchor.slice(0, 80)}': ${parsed.error}.`;
  }
  return undefined;
}
