import type { Frame } from '#lib/frame.ts';

declare global {
  namespace App {
    /** Given by server/built.ts for each rendering. */
    interface Platform {
      /** What is known at this moment. */
      frame: Frame;
      /** Logs what a page threw. */
      failed(path: string, error: unknown): void;
    }
  }
}
