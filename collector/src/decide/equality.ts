/**
 * Whether the nodes of a service give one answer to one question. Only results to the same parameters are compared,
 * and only while they are fresh.
 */
import type { Instant } from '@highwater/config/time.ts';
import type { Reply } from './types.ts';
import { listed, plural } from './words.ts';

/** What one probe has from one node, by method: the newest replies, oldest first. */
export interface SeenReplies {
  readonly node: string;
  readonly probe: string;
  readonly replies: Readonly<Record<string, readonly Reply[]>>;
}

/** What is said of a node: that it differs, or that nodes disagree without anybody to blame. */
export interface Differing {
  readonly differs?: string;
  readonly disagree?: string;
}

/**
 * By node, of one check of one service. A strict majority of at least three nodes is right: who differs from it is
 * told so. Without one all are told that they disagree. Of several parameters those decide that most nodes were
 * asked with, then the newest.
 * @param freshMs how old, by receipt, a reply may be
 */
export function compareReplies(
  check: string,
  seen: readonly SeenReplies[],
  freshMs: number,
  now: Instant,
): ReadonlyMap<string, Differing> {
  const words = new Map<string, { differs: string[]; disagree: string[] }>();
  const methods = new Set(seen.flatMap(({ replies }) => Object.keys(replies)));
  for (const method of [...methods].sort()) {
    const results = mostAsked(seen, method, (reply) => now - reply.receivedAt < freshMs);
    const sides = [...Map.groupBy(results.keys(), (node) => results.get(node) ?? '').values()];
    if (sides.length < 2) continue;
    const nodes = results.size;
    const right = nodes < 3 ? undefined : sides.find((side) => 2 * side.length > nodes);
    for (const node of [...results.keys()].sort()) {
      if (right?.includes(node)) continue;
      const own = words.get(node) ?? { differs: [], disagree: [] };
      if (right) own.differs.push(`${method} differs from ${right.length} of ${plural(nodes, 'node')}`);
      else own.disagree.push(`${method} differs among ${plural(nodes, 'node')}`);
      words.set(node, own);
    }
  }
  return new Map([...words].map(([node, said]) => [node, told(check, said)]));
}

function told(check: string, { differs, disagree }: { differs: string[]; disagree: string[] }): Differing {
  return {
    ...(differs.length > 0 && { differs: `${check}: ${listed(differs)}` }),
    ...(disagree.length > 0 && {
      disagree: `${check}: ${listed(disagree)}, and none can tell which is wrong`,
    }),
  };
}

/** The results by node for the parameters that most nodes were asked with; of equals the newest, then by text. */
function mostAsked(
  seen: readonly SeenReplies[],
  method: string,
  isFresh: (reply: Reply) => boolean,
): ReadonlyMap<string, string> {
  const replies = seen.flatMap(({ node, replies: own }) =>
    (own[method] ?? []).filter(isFresh).map((reply) => ({ node, ...reply })),
  );
  const newest = (list: readonly Reply[]): Instant => Math.max(...list.map((reply) => reply.receivedAt));
  const asked = [...Map.groupBy(replies, ({ params }) => params)].map(([params, own]) => ({
    params,
    at: newest(own),
    results: resultsOf(own),
  }));
  asked.sort((a, b) => b.results.size - a.results.size || b.at - a.at || (a.params < b.params ? -1 : 1));
  return asked[0]?.results ?? new Map<string, string>();
}

/** Of a node's probes a strict majority says what it answers: one probe alone accuses nobody. */
function resultsOf(replies: readonly (Reply & { readonly node: string })[]): ReadonlyMap<string, string> {
  const results = new Map<string, string>();
  for (const [node, own] of Map.groupBy(replies, (reply) => reply.node)) {
    const [most] = [...Map.groupBy(own, ({ result }) => result)].find(
      ([, same]) => 2 * same.length > own.length,
    ) ?? [undefined];
    if (most !== undefined) results.set(node, most);
  }
  return results;
}
