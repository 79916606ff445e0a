/** JSON in settings: what a file can say exactly, and no deeper than what a monitor publishes. */
import type { z } from 'zod';

/** Steps into a value; the settings of a monitor are published as lines of at most 16. */
const maxSteps = 12;

/** Refuses what is nested too deeply, and texts and numbers of which `problemOf` says what is wrong. */
export function judged<S extends z.ZodType>(schema: S, problemOf: (leaf: unknown) => string | undefined): S {
  return schema.superRefine((value, ctx) => {
    for (const [path, leaf] of leaves(value, [])) {
      const problem = path.length > maxSteps ? 'nested too deeply, write it flatter' : problemOf(leaf);
      if (problem !== undefined) ctx.addIssue({ code: 'custom', path, message: problem });
    }
  });
}

/** A whole number that was rounded when the file was read. */
export function inexact(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
}

export const inexactMessage = 'a number beyond 2^53, which is rounded on its way, write it in quotes';

function leaves(value: unknown, path: readonly PropertyKey[]): [PropertyKey[], unknown][] {
  if (typeof value !== 'object' || value === null || path.length > maxSteps) return [[[...path], value]];
  return Object.entries(value).flatMap(([step, inner]) =>
    leaves(inner, [...path, Array.isArray(value) ? Number(step) : step]),
  );
}
