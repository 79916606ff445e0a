/** What all steps of a check share: the files one after the other, what is wrong so far, and how far it is. */
import { decodeUtf8 } from '../proof/bytes.ts';
import type { Amount, EvidenceOptions, Progress } from './check.ts';
import type { Checker } from './checker.ts';
import { BundleError, type BundleFiles, MAX_TEXT_BYTES } from './files.ts';
import { Problems } from './problems.ts';
import { Signatures } from './signatures.ts';

/** Between two calls of `progress`, ms of work: then others get a turn too. */
const TURN_MS = 50;

export type OpenAmount = { -readonly [K in keyof Amount]: Amount[K] };

export class Reading {
  readonly checker: Checker;
  readonly options: EvidenceOptions;
  readonly problems = new Problems();
  readonly signatures: Signatures;
  readonly amount: OpenAmount = {
    entries: 0,
    before: 0,
    batches: 0,
    signatures: 0,
    bodies: 0,
    lines: 0,
    bytes: 0,
  };
  readonly #files: BundleFiles;
  #lastTurnAt = 0;

  constructor(files: BundleFiles, checker: Checker, options: EvidenceOptions) {
    this.#files = files;
    this.checker = checker;
    this.options = options;
    this.signatures = new Signatures(checker, this.amount);
  }

  /** Undefined where there is none. What can't be read ends the check. */
  async find(name: string, maxBytes: number = MAX_TEXT_BYTES): Promise<Uint8Array | undefined> {
    this.options.signal?.throwIfAborted();
    try {
      const bytes = await this.#files.read(name, maxBytes);
      this.amount.bytes += bytes?.length ?? 0;
      return bytes;
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      return this.problems.fatal('incomplete', error.file, error.message);
    }
  }

  /** What is not there ends the check. */
  async need(name: string, maxBytes?: number): Promise<Uint8Array> {
    const bytes = await this.find(name, maxBytes);
    return bytes ?? this.problems.fatal('incomplete', name, 'it is not here');
  }

  async needText(name: string, maxBytes?: number): Promise<string> {
    const text = decodeUtf8(await this.need(name, maxBytes));
    return text ?? this.problems.fatal('mismatch', name, 'it is not UTF-8');
  }

  /** To be called often: now and then it tells how far it is, and lets others work. */
  async turn(progress: () => Progress): Promise<void> {
    const now = Date.now();
    if (now - this.#lastTurnAt < TURN_MS) return;
    this.options.progress?.(progress());
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.options.signal?.throwIfAborted();
    this.#lastTurnAt = Date.now();
  }
}
