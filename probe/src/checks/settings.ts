/** Settings that several kinds share. */
import { z } from 'zod';
import { key } from '@highwater/config/fields.ts';

export const urlPath = key(
  z
    .string()
    .max(2_000, 'too long, write at most 2000 characters')
    .regex(/^\/[^\s#\\]*$/, "not a path, write one that begins with '/', without spaces and '#'")
    .optional(),
  "Appended to the path of the node's URL.",
  '/health',
);
