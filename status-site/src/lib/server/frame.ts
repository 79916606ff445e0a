/** The frame of one rendering, as server/pages.ts hands it over. */
import { error } from '@sveltejs/kit';
import type { Frame } from '../frame.ts';

/** Throws 503 where the page is run without our server around it, such as in `vite dev`. */
export function frameOf(platform: Readonly<App.Platform> | undefined): Frame {
  if (!platform?.frame) error(503, 'This page needs its server: start it with `highwater site`.');
  return platform.frame;
}
