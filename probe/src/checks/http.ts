import { type Asked, defineCheck, type Reading } from '@highwater/config/kinds.ts';
import { asHttp, joinPath } from '../io/url.ts';
import { curlLine, redirectWords } from '../repeat.ts';
import { settings, type Settings } from './http-settings.ts';
import { isGood, unexpected } from './http-verdict.ts';

/** Asks one URL and looks at status, headers and body. */
export const http = defineCheck({
  kind: 'http',
  summary: 'Asks a URL and looks at the status, the headers, the body and how long it took.',
  settings,
  counts: true,
  needsChain: false,
  async run(wanted, ctx): Promise<Reading> {
    const { method, path, port, body, maxBytes, redirects } = wanted;
    const answer = await ctx.exchange({
      method,
      maxRedirects: redirects,
      redirectIsAnswer: redirects === 0 && wantsRedirect(wanted),
      headers: headersOf(wanted),
      ...(path === undefined ? {} : { path }),
      ...(port === undefined ? {} : { port }),
      ...(body === undefined ? {} : { body }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    });
    const found = unexpected(answer, wanted, ctx.asserted);
    const outcome = found === undefined ? 'ok' : found.code === 'slow' ? 'degraded' : 'fail';
    const { latencyTenths, phases, certExpiresAt } = answer;
    const facts = {
      sc: String(answer.status),
      ...(certExpiresAt === undefined || certExpiresAt < 0 ? {} : { ce: String(certExpiresAt) }),
    };
    return { outcome, latencyTenths, phases, facts, ...(found ? { fault: found } : {}) };
  },
  repeat: repeated,
});

function wantsRedirect({ status }: Settings): boolean {
  return [301, 302, 303, 307, 308].some((code) => isGood(code, status));
}

function headersOf({ headers, body }: Settings): Readonly<Record<string, string>> {
  if (body === undefined || headers['content-type'] !== undefined) return headers;
  return { ...headers, 'content-type': 'application/json' };
}

function repeated(wanted: Settings, asked: Asked): string {
  const { method, path, port, body, redirects } = wanted;
  const url = joinPath(asHttp(asked.target.url), path, port);
  const words = [
    method === 'HEAD' ? '-I' : '-i',
    ...redirectWords(url, redirects, asked.target),
    ...(method === 'POST' && body === undefined ? ['-X POST'] : []),
  ];
  const headers = { 'accept-encoding': 'identity', ...headersOf(wanted) };
  return curlLine(url, { headers, body, words }, asked);
}
