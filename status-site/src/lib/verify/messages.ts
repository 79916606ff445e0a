/** What the page and its worker say to each other. */
import type { CheckWords } from '@highwater/config/report/check-words.ts';
import type { Progress } from '@highwater/config/bundle/check.ts';

export type Source =
  | { readonly kind: 'served'; readonly month: string; readonly revision: number }
  /** A file of the reader's own: read here, sent nowhere. */
  | { readonly kind: 'own'; readonly file: Blob };

export interface Task {
  readonly source: Source;
  /** This service alone. */
  readonly service?: string;
  /** What the reader brings along in place of the bundle's word. */
  readonly operatorKey?: string;
  readonly policy?: string;
  readonly anchors?: readonly string[];
}

export type Answer =
  /** Of what this browser lends no cryptography of its own. */
  | { readonly kind: 'slow'; readonly says: string }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly words: CheckWords; readonly text: string; readonly tookMs: number }
  /** It could not be checked: nothing is said of the report. */
  | { readonly kind: 'failed'; readonly says: string; readonly remedy: string };

/** What the form asks for. `about` names it for people. */
export type StartCheck = (source: Source, service: string | undefined, about: string) => void;

/** What a reader brings along. */
export type Given = Pick<Task, 'operatorKey' | 'policy' | 'anchors'>;
export type GivenChanged = (given: Given) => void;
