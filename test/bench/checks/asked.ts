/** What all contenders of a case are asked to do, as the processes tell each other: JSON. */

export interface Asked {
  /** The kind of check and its settings, as an operator writes them. */
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The same server several times, asked in turn: a port of it may be used again only a while after it was closed. */
  readonly urls: readonly string[];
  /** What the bare client sends, where that is more than a GET or a connection. */
  readonly body?: string;
  /** PEM of the only root to be trusted. */
  readonly ca?: string;
}

/** One check from beginning to end, on a connection of its own. Rejects when the answer is not as it should be. */
export type Call = () => Promise<void>;

/** What a worker runs. */
export interface Work {
  readonly call: Call;
  /** Ends what the calls have left to do: it belongs to their cost. */
  settled?(): Promise<void>;
  close?(): Promise<void>;
}

/** Each module of a contender exports this as `open`. */
export type Open = (asked: Asked) => Work | Promise<Work>;

/** The URLs one after the other, without end. */
export function inTurn(urls: readonly string[]): () => string {
  let next = 0;
  return () => urls[next++ % urls.length] ?? '';
}
