/** The call by which an operator gives a running collector another configuration. */
import { configApplied, type ConfigApplied } from '@highwater/config/wire.ts';
import { z } from 'zod';
import { bodyType, readBody } from './body.ts';
import { json } from './reply.ts';
import type { Route } from './routes.ts';

/** The longest name of a file that is repeated in messages, characters. */
const MAX_NAME = 200;

/** @param apply rejects with HttpError for a text that is not taken */
export function configRoute(apply: (text: string, name?: string) => Promise<ConfigApplied>): Route {
  return {
    method: 'POST',
    path: '/v1/config',
    says: {
      summary: 'Applies a configuration: all of it from the next minute, or nothing',
      query: { name: 'What messages call the file' },
      takes: { 'text/yaml': z.string() },
      gives: { 'application/json': configApplied },
    },
    async handle({ request, query }) {
      bodyType(request, ['text/yaml', 'application/yaml']);
      const text = await readBody(request);
      const name = query
        .get('name')
        ?.slice(0, MAX_NAME)
        .replaceAll(/\p{Cc}/gu, '?');
      return json(200, await apply(text, name));
    },
  };
}
