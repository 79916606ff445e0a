/** The calls as OpenAPI 3.1: from the router's own table and the schemas that both ends read with. */
import { refused } from '@highwater/config/wire.ts';
import { z } from 'zod';
import type { Access } from './access.ts';
import { json } from './reply.ts';
import type { Route } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}

function content(byType: Readonly<Record<string, z.ZodType>>): Json {
  return Object.fromEntries(
    Object.entries(byType).map(([type, schema]) => [type, { schema: schemaOf(schema) }]),
  );
}

/** An empty requirement beside another one: it will do without, on loopback. */
const security: Readonly<Record<Access, readonly Json[]>> = {
  open: [],
  read: [{ token: [] }, {}],
  write: [{ token: [] }],
};

function parametersOf({ path, says }: Route): Json[] {
  const inPath = [...path.matchAll(/([:*])([^/]+)/g)].map(([, mark, name]) => ({
    name,
    in: 'path',
    required: true,
    // OpenAPI has no word for it: the slashes in it are slashes of the address.
    ...(mark === '*' ? { description: 'One segment or several' } : {}),
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(says.query ?? {}).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  }));
  return [...inPath, ...inQuery];
}

function operationOf(route: Route): Json {
  const { says, access = 'write' } = route;
  return {
    summary: says.summary,
    security: security[access],
    parameters: parametersOf(route),
    ...(says.takes === undefined ? {} : { requestBody: { required: true, content: content(says.takes) } }),
    responses: {
      '200': { description: 'Done', content: content(says.gives) },
      default: {
        description: 'Refused: what is wrong, and the remedy',
        content: content({ 'application/json': refused }),
      },
    },
  };
}

/** `/v1/alerts/:id/ack` as OpenAPI writes it. */
const pathOf = (path: string): string => path.replaceAll(/[:*]([^/]+)/g, '{$1}');

/** The document over these routes. */
export function openapiOf(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const at = (paths[pathOf(route.path)] ??= {});
    at[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Highwater collector', version: '1' },
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

/** These routes and `GET /openapi.json`, which describes them all and itself. */
export function withOpenapi(routes: readonly Route[]): Route[] {
  const all: Route[] = [
    ...routes,
    {
      method: 'GET',
      path: '/openapi.json',
      access: 'read',
      says: {
        summary: 'This document',
        gives: { 'application/json': z.record(z.string(), z.unknown()) },
      },
      handle: async () => json(200, openapiOf(all)),
    },
  ];
  return all;
}
