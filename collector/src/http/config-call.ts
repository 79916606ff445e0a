/** The calls by which an operator gives a running collector another configuration, or has it read its file again. */
import { configApplied, configPlace, type ConfigApplied, type ConfigPlace } from '@highwater/config/wire.ts';
import { z } from 'zod';
import { bodyType, readBody } from './body.ts';
import { json } from './reply.ts';
import type { Route } from './routes.ts';

/** The longest name of a file that is repeated in messages, characters. */
const MAX_NAME = 200;

export interface ConfigCalls {
  /** Rejects with HttpError for a text that is not taken. */
  readonly apply: (text: string, name?: string) => Promise<ConfigApplied>;
  /** The same with what the file of `place` holds. */
  readonly reload: () => Promise<ConfigApplied>;
  readonly place: ConfigPlace;
}

/** All of them need the token: the two places are on this machine's disk. */
export function configRoutes({ apply, reload, place }: ConfigCalls): Route[] {
  return [
    {
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
    },
    {
      method: 'POST',
      path: '/v1/config/reload',
      says: {
        summary: 'Reads the configuration file that the collector runs again, as SIGHUP does',
        gives: { 'application/json': configApplied },
      },
      handle: async () => json(200, await reload()),
    },
    {
      method: 'GET',
      path: '/v1/config',
      says: {
        summary: 'Which configuration file the collector runs, and on which data folder',
        gives: { 'application/json': configPlace },
      },
      handle: async () => json(200, place),
    },
  ];
}
