import type { Handle, HandleServerError } from '@sveltejs/kit/hooks';

/** The one page with a script: its own, and a worker's, which ask this site alone. */
const withScript = "; script-src 'self'; worker-src 'self'; connect-src 'self'";
const policy = 'content-security-policy';

export const handle: Handle = async ({ event, resolve }) => {
  const response = await resolve(event);
  const held = response.headers.get(policy);
  if (event.route.id === '/verify' && held !== null) response.headers.set(policy, `${held}${withScript}`);
  return response;
};

/** What went wrong in a page goes to the log; the visitor gets Kit's safe message. Missing pages are no errors. */
export const handleError: HandleServerError = ({ kind, error, event }) => {
  if (kind === 'unknown') event.platform?.failed(event.url.pathname, error);
};
