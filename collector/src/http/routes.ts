import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { Access } from './access.ts';
import type { Reply } from './reply.ts';

export interface Call {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  /** What `:name` and `*name` stood for. */
  readonly params: Readonly<Record<string, string>>;
  /** Aborts when the caller has gone or the server drains. */
  readonly signal: AbortSignal;
}

/** What a route is for, as /openapi.json tells it. */
export interface Says {
  readonly summary: string;
  /** What each parameter of the query means. */
  readonly query?: Readonly<Record<string, string>>;
  /** By media type. */
  readonly takes?: Readonly<Record<string, z.ZodType>>;
  /** With 200, by media type. */
  readonly gives: Readonly<Record<string, z.ZodType>>;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/v1/alerts/:id/ack`; `*name` at the end stands for one segment or several. */
  readonly path: string;
  /** Left out means `write`: what is open is said. */
  readonly access?: Access;
  /** Shares its places with routes of the same pool alone; without it with those of the same access. */
  readonly pool?: string;
  readonly says: Says;
  readonly handle: (call: Call) => Promise<Reply>;
}

/** Of the routes' own paths: each call is held against all of them. */
const split = new Map<string, readonly string[]>();

function segmentsOf(path: string): readonly string[] {
  const known = split.get(path) ?? path.split('/');
  split.set(path, known);
  return known;
}

function match(path: string, segments: readonly string[]): Record<string, string> | undefined {
  const pattern = segmentsOf(path);
  const takesRest = pattern.at(-1)?.startsWith('*') ?? false;
  if (takesRest ? segments.length < pattern.length : segments.length !== pattern.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
    const segment = segments[i] ?? '';
    if (part.startsWith('*')) {
      const rest = segments.slice(i);
      // An encoded slash would make two paths of one.
      if (rest.some((each) => each.includes('/'))) return undefined;
      params[part.slice(1)] = rest.join('/');
      continue;
    }
    if (part.startsWith(':')) params[part.slice(1)] = segment;
    else if (part !== segment) return undefined;
  }
  return params;
}

/** Undefined for a segment that is no valid percent-encoding. */
function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** The route for a call, or the methods that its path would take. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  pathname: string,
): { route: Route; params: Readonly<Record<string, string>> } | { allow: readonly string[] } {
  const segments = pathname.split('/').map(decoded);
  if (segments.some((each) => each === undefined)) return { allow: [] };
  const hits = routes.flatMap((route) => {
    const params = match(route.path, segments as string[]);
    return params === undefined ? [] : [{ route, params }];
  });
  const asked = method === 'HEAD' ? 'GET' : method;
  return hits.find((hit) => hit.route.method === asked) ?? { allow: hits.map((hit) => hit.route.method) };
}
