import { frameOf } from '#lib/server/frame.ts';
import type { PageServerLoad } from './$types';

/** The address that the command line is told. */
export const load: PageServerLoad = ({ platform }) => ({
  address: frameOf(platform).snapshot?.site.url ?? '',
  /** The form is nothing without its script. */
  isForm: false,
});
