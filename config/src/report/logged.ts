/** What a report tells from the log's other leaves: each can be read there. */
import { z } from 'zod';

const count = z.int().min(0);
const text = z.string();
const place = { year: count, index: count };
/**
 * From how many regions batches had already reached the first minute that it counts for (`inForceFrom`, `countsFrom`) when it was
 * logged. Left out where it is none, as it is for what was logged in time: what it changes was not known to anybody then.
 */
const regionsAhead = z.int().min(1).optional();

/** Lines of a projection that came or went; the first of them, and how many there are. */
const lines = z.strictObject({ count, lines: z.array(text) });
export const MAX_CHANGED_LINES = 40;

export const loggedConfig = z.strictObject({
  ...place,
  /** Leaf hash, base64. */
  leaf: text,
  /** First minute that it asks for, and from which it is in force. */
  from: count,
  inForceFrom: count,
  regionsAhead,
  added: lines,
  removed: lines,
});

export const loggedKey = z.strictObject({
  ...place,
  act: z.enum(['enrol', 'revoke']),
  probe: text,
  region: text,
  operator: text,
  key: text,
  from: count,
  inForceFrom: count,
  regionsAhead,
});

export const loggedMaintenance = z.strictObject({
  ...place,
  subjects: z.array(text),
  /** As declared. */
  from: count,
  last: count,
  /** From which minute on it counts: later than `from` where it was logged too late. */
  countsFrom: count,
  regionsAhead,
  /** The last minute that counts; before `countsFrom` where none does. */
  countsTo: z.int(),
  isLate: z.boolean(),
  isCancelled: z.boolean(),
});

export const loggedAction = z.strictObject({
  ...place,
  by: text,
  what: text,
  subject: text,
  at: count,
  note: text.optional(),
});

export const loggedAnnotation = z.strictObject({ ...place, of: text, at: count, text });

/** Those that touch the month: in force in it, or logged within the part that is in the bundle. */
export const logged = z.strictObject({
  configs: z.array(loggedConfig),
  keys: z.array(loggedKey),
  maintenance: z.array(loggedMaintenance),
  actions: z.array(loggedAction),
  annotations: z.array(loggedAnnotation),
  /** SHA-256, base64, of files of the bundle that nothing else would sign: what was read of the logs, and who is asked for. */
  files: z.strictObject({ range: text, keys: text, policy: text }),
});
export type Logged = z.infer<typeof logged>;
