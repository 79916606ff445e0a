/** Of the bodies in wire.ts, those about the log: proofs for probes, and its state. */
import { z } from 'zod';

const text = z.string();
const ms = z.int();

/**
 * Header of each signed request of a probe once it has seen a checkpoint: base64 of the newest one that it found
 * consistent, as a note. What the log's key has signed and the collector does not know is proof of another history.
 */
export const checkpointHeader = 'highwater-checkpoint';

/** At most so many leaves in one question for proofs. */
export const maxProofs = 20;

/** A SHA-256 as base64. Of any one tree up to 2^53 entries no proof has more of them. */
const proof = z.array(z.string().length(44)).max(64);
const signedCheckpoint = z.string().max(32_768);
const leafHex = z.string().length(64);

/**
 * GET /v1/proofs?leaf=HEX[&leaf=HEX …][&from=YEAR/SIZE], signed: inclusion proofs for leaves (RFC 6962 leaf hashes, hex)
 * and what leads from the checkpoint that the probe knows to the newest. Hashes are base64 of 32 bytes.
 */
export const logProofs = z.strictObject({
  /**
   * From the oldest log that is needed (of `from`, or of a leaf; without both the newest) to the newest, a log a year,
   * oldest first. Empty: nothing was signed yet.
   */
  logs: z
    .array(
      z.strictObject({
        year: z.int(),
        /** The newest checkpoint of that log, with its signatures. */
        checkpoint: signedCheckpoint,
        /** Of the log of `from` only: the consistency proof; empty when it is of the same size, or larger. */
        consistency: proof,
        /** Of all but the first: the inclusion proof of entry 0, which is `carried`, the last checkpoint of the log before. */
        carried: z.strictObject({ note: signedCheckpoint, inclusion: proof }).optional(),
      }),
    )
    .max(64),
  /** Those that are under one of the checkpoints in `logs`. */
  leaves: z
    .array(z.strictObject({ leaf: leafHex, year: z.int(), index: z.int(), inclusion: proof }))
    .max(maxProofs),
  /** Those that this collector never acknowledged, or no longer knows: they are to be sent again. */
  unknown: z.array(leafHex).max(maxProofs),
});
export type LogProofs = z.infer<typeof logProofs>;

/** Of GET /v1/status: the log that is written now. */
export const logStatus = z.object({
  origin: text,
  year: z.int(),
  key: text,
  /** What is signed and published. */
  size: z.int(),
  root: text,
  signedAt: ms.optional(),
  /** Leaves that were acknowledged and are under no checkpoint yet. */
  pending: z.int(),
  /** Since when nothing is signed any more, why, and what to do. */
  refused: z.object({ since: ms, because: text, remedy: text }).optional(),
  witnesses: z.array(
    z.object({
      name: text,
      url: text,
      /** The newest size that it cosigned. */
      size: z.int().optional(),
      at: ms.optional(),
      /** Why its last answer was no cosignature. */
      error: text.optional(),
    }),
  ),
  /** Whether the published checkpoint has the cosignatures that the policy asks for; absent without a policy. */
  quorum: z.boolean().optional(),
});
export type LogStatus = z.infer<typeof logStatus>;
