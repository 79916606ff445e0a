/** How Graphene nodes are asked: JSON-RPC whose only method is `call`. */
import type { Ask, Reply } from '../ask.ts';
import type { Json } from '../json.ts';

/**
 * The APIs as these checks use them. A name is looked up by the node in the same call; 1 is the login API, which
 * older nodes know by its number alone.
 */
export type Api = string | number;

export function call(
  ask: Pick<Ask, 'call'>,
  api: Api,
  method: string,
  parameters: readonly unknown[] = [],
): Promise<Reply> {
  return ask.call('call', [api, method, parameters]);
}

/** The result of a question that a good node may refuse; undefined then. */
export async function optionalCall(
  ask: Pick<Ask, 'call'>,
  api: Api,
  method: string,
  parameters: readonly unknown[] = [],
): Promise<Json | undefined> {
  const reply = await call(ask, api, method, parameters);
  return reply.error ? undefined : reply.result;
}
