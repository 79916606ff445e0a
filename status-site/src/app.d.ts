import type { Frame } from '#lib/frame.ts';

declare global {
  namespace App {
    interface Platform {
      /** What is known at the moment of rendering; given by server/pages.ts. */
      frame: Frame;
    }
  }
}
