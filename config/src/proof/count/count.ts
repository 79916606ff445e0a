/**
 * The rule over a month, streaming: batches first, then the bodies of one UTC day after the other. It equals `evaluate`,
 * which holds everything at once; tested by properties. Pure: signatures, hashes and files are the caller's part.
 */
import type { Batch } from '../batch.ts';
import type { Counted } from '../../report/counted.ts';
import type { ConfigRecord, MaintRecord, ProbeRecord } from '../rule/evidence.ts';
import type { MinuteRange } from '../rule/evaluate.ts';

/** A batch as the count needs it; `index` is its place in the order of all logs. */
export interface CountBatch extends Pick<
  Batch,
  'probe' | 'epoch' | 'number' | 'minutes' | 'config' | 'clock' | 'gaps'
> {
  readonly index: number;
  /** Whole verifier key of its signature. */
  readonly key: string;
  /** Of all its bodies together, as its text says. */
  readonly lines: number;
}

export interface CountInput {
  readonly range: MinuteRange;
  /** All below the end, ascending. */
  readonly configs: readonly ConfigRecord[];
  readonly probes: readonly ProbeRecord[];
  readonly maints: readonly MaintRecord[];
  /** All batches that are known, ascending, each once: also those that only say how far a probe had reached. */
  readonly batches: readonly CountBatch[];
  /** From which number on a key's epoch counts for nothing, since two texts were signed under one number; else Infinity. */
  voidFrom(key: string, epoch: number): number;
  /** As far as the report of the month before had counted (`index`); left out: there was none, and nothing is later. */
  readonly before?: number;
  /** In place of all public services: this one (its chain's heads are read too: `needs`). */
  readonly service?: string;
  readonly hash: (data: Uint8Array) => Uint8Array;
}

export interface Count {
  /** Services whose bodies of a UTC day are read; others are passed over. */
  needs(day: number): ReadonlySet<string>;
  /** What a day takes to be judged: its monitors, each as agreed and as every region that speaks says. 13 KB each are held. */
  views(day: number): number;
  /** Whether a body of a batch is published: its service is public under the configuration that the batch ran. */
  isPublished(config: string, service: string): boolean;
  /**
   * Whether a service is public by what is in force in one of these minutes, of one day. Where it is, and not under the
   * configuration that the batch names, its body is missing: whoever picks which configuration is run could leave out bodies.
   */
  isPublicIn(minutes: MinuteRange, service: string): boolean;
  /**
   * Lines of one body, whose bytes are what the batch commits to, and how many it commits to. A text says what is wrong with it:
   * it then counts for nothing. Bodies of one day come in any order, and are copied from; days one after the other. Throws
   * RangeError for a batch that is not one (the same object) of `batches`, and for a day that was closed.
   */
  add(batch: CountBatch, service: string, body: Uint8Array, lines: number): string | undefined;
  /** A body that `needs` asks for can't be had. */
  miss(day: number, service: string): void;
  /** All of a day was added: its minutes are judged, and what was held of it is let go. Days that were passed over are silent. */
  close(day: number): void;
  /** Closes what is open, to the end of the range. */
  result(): Counted;
}
