/** The log as the rest of the collector sees it: one tree a UTC year over the commit sequence, signed and published. */
import type { Clock } from '@highwater/config/time.ts';
import type { Alarm, LogStatus } from '@highwater/config/wire.ts';
import type { Logger } from 'pino';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';

export interface Log {
  /**
   * One merge where there is something to merge; true when a checkpoint was published. Repeatable: what it goes by is
   * in store and blobs. Rejects with DiskFullError and the like, and is then called again.
   */
  beat(): Promise<boolean>;
  /**
   * Begins the log of the year that the next commit lies in, so that its key can be named; signs and publishes nothing.
   * A refusal is told and does not reject.
   */
  ready(): Promise<void>;
  status(): LogStatus;
  /**
   * A checkpoint note that somebody shows us, hostile until verified here; one signed by our key that this store did
   * not sign stops the signing. `from` is for people: `probe eu-1`, `the page https://…`, `witness x`.
   */
  shown(note: string, from: string): Promise<void>;
  /** Somebody knows a larger size of the log of `year` than this store (a witness's 409): stops the signing. */
  ahead(from: string, size: number, year: number): Promise<void>;
  /** Who said so knows no more than this store, by what it says now: from the next beat on it stops nothing. */
  level(from: string, year: number): void;
  /** What others said to be ahead counts no more: they have left the configuration. */
  heedOnly(sources: readonly string[]): void;
  /** Verifier keys of the logs, one a year, oldest first. */
  readonly keys: readonly string[];
  /** Years that have a log, oldest first, with their keys. */
  readonly years: readonly { readonly year: number; readonly key: string }[];
  /** A tile or bundle by its path (`tile/0/x001/067.p/8`); a partial one that is gone is cut from the full one. */
  tile(year: number, path: string): Promise<Uint8Array | undefined>;
  /** As published, with the cosignatures that came. */
  checkpoint(year: number): Promise<string | undefined>;
  /** Which log a commit lies in, and where; undefined while no checkpoint covers it. */
  place(commitIndex: number): Promise<{ year: number; index: number } | undefined>;
  /** Adds cosignature lines (`— NAME BASE64`) to the published checkpoint, if that still is the one of `size`. */
  cosigned(year: number, size: number, lines: readonly string[]): Promise<void>;
}

export interface LogParts {
  readonly origin: string;
  readonly store: Store;
  readonly blobs: Blobs;
  /** Holds `log-YEAR.key`. */
  readonly keysDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A person has to look: signing was stopped. Called once for each reason. */
  readonly alarm: (alarm: Alarm) => void;
  /** The alarm of this key is over. */
  readonly cleared: (key: string) => void;
}
