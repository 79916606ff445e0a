/** Signatures that are asked for as they come and verified some at a time: a runtime that does so in the background has many at once. */
import type { VerifierKey } from '../proof/note.ts';
import type { Checker } from './checker.ts';

const AT_ONCE = 256;

interface Asked {
  readonly key: VerifierKey;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly onBad: () => void;
}

export class Signatures {
  readonly #checker: Checker;
  readonly #amount: { signatures: number };
  #asked: Asked[] = [];

  constructor(checker: Checker, amount: { signatures: number }) {
    this.#checker = checker;
    this.#amount = amount;
  }

  /** `message` and `signature` are kept until then. */
  ask(key: VerifierKey, message: Uint8Array, signature: Uint8Array, onBad: () => void): void {
    this.#asked.push({ key, message, signature, onBad });
  }

  get isFull(): boolean {
    return this.#asked.length >= AT_ONCE;
  }

  /** Verifies all that were asked for. */
  async settle(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    const verdicts = await Promise.all(
      asked.map(({ key, message, signature }) => this.verify(key, message, signature)),
    );
    for (const [i, { onBad }] of asked.entries()) if (verdicts[i] !== true) onBad();
  }

  verify(key: VerifierKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    this.#amount.signatures += 1;
    return this.#checker.verify(key, message, signature);
  }
}
