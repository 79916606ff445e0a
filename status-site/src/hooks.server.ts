import type { HandleServerError } from '@sveltejs/kit/hooks';

/** What went wrong in a page goes to the log; the visitor gets Kit's safe message. Missing pages are no errors. */
export const handleError: HandleServerError = ({ kind, error, event }) => {
  if (kind === 'unknown') event.platform?.failed(event.url.pathname, error);
};
