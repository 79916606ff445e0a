import type { z } from 'zod';
import { bodyType, readBody } from './body.ts';
import { HttpError } from './reply.ts';
import type { Call } from './routes.ts';

const REMEDY = 'see /openapi.json for what it holds';

/** The body of a call, decoded; an empty one is `{}`. Throws HttpError 400 that names the first field that is wrong. */
export async function jsonBody<S extends z.ZodType>(call: Call, schema: S): Promise<z.output<S>> {
  bodyType(call.request, ['application/json']);
  const text = await readBody(call.request);
  let body: unknown;
  try {
    body = JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw new HttpError(400, 'the body is not JSON', REMEDY);
  }
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new HttpError(400, `${where === '' ? 'the body' : where}: ${issue?.message ?? 'is wrong'}`, REMEDY);
}
