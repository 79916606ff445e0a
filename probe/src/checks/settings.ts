/** Settings that several kinds share. */
import { z } from 'zod';
import { isSecretHeader } from '@highwater/config/crosscheck-targets.ts';
import { key, wholeBetween } from '@highwater/config/fields.ts';

export const urlPath = key(
  z
    .string()
    .max(2_000, 'too long, write at most 2000 characters')
    .regex(/^\/[^\s#\\]*$/, "not a path, write one that begins with '/', without spaces and '#'")
    .optional(),
  "Appended to the path of the node's URL. Published in the log as written, where the service is public.",
  '/health',
);

export const urlPort = key(
  wholeBetween(1, 65_535).optional(),
  "A port of the node's host, where it is not the URL's.",
  8900,
);

export const transport = key(
  z
    .enum(['http', 'websocket'], {
      error: (issue) =>
        issue.input === undefined ? undefined : 'neither http nor websocket, write one of them',
    })
    .optional(),
  "How methods are called; by the scheme of the node's URL when left out.",
  'websocket',
);

export const chainApi = key(
  z
    .enum(['indexer'], {
      error: (issue) =>
        issue.input === undefined ? undefined : 'not an API of its own, write indexer or leave it out',
    })
    .optional(),
  "Another API than the node's own: `indexer` for Algorand's.",
  'indexer',
);

/**
 * Why a check may not have such a header of its own; undefined when it may. What a check sends is published with its
 * settings as it is written, and never looked up as a secret.
 */
export function ownHeaderTrouble(name: string, value: string): string | undefined {
  if (/^(env|file):/.test(value)) return "no secrets are looked up here, write it under the node's headers";
  return isSecretHeader(name)
    ? "the settings of a check are published, write it under the node's headers"
    : undefined;
}
