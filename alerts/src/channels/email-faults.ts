/**
 * What a refused or failed mail means for the delivery. RFC 5321, 4.2.1: 4yz asks to come again, 5yz not to.
 * Replies are shown as the server gave them, cut; the caller takes secrets out. Pure.
 */
import type { Delivery } from '@highwater/config/kinds.ts';
import { plain } from '../text.ts';

type Fault = Exclude<Delivery, { result: 'delivered' }>;

interface SmtpError {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
  readonly command?: unknown;
}

/** What went wrong for the mail as a whole. */
export function judgeMail(error: unknown): Fault {
  const { code, responseCode, response } = (error instanceof Error ? error : {}) as SmtpError;
  const reply = typeof response === 'string' ? `: ${plain(response, 200)}` : '';
  if (typeof responseCode === 'number' && responseCode >= 500) {
    if (code === 'EAUTH') {
      const reason = `the mail server refuses the login${reply}; put the right user name and password into the SMTP URL`;
      return { result: 'permanent', reason, scope: 'channel' };
    }
    return { result: 'permanent', reason: `the mail server refuses the mail${reply}` };
  }
  if (typeof responseCode === 'number' && responseCode >= 400) {
    return { result: 'retry', reason: `the mail server asks to come again later${reply}` };
  }
  const name = typeof code === 'string' ? code : '';
  if (name === 'ETLS' || name === 'EREQUIRETLS') {
    return { result: 'retry', reason: 'no TLS with the mail server: not offered, or its certificate is bad' };
  }
  if (name === 'EAUTH') {
    const reason = 'the mail server offers no login that fits the user name and password of the SMTP URL';
    return { result: 'permanent', reason, scope: 'channel' };
  }
  const what = name === '' && error instanceof Error ? plain(error.message, 100) : name;
  return { result: 'retry', reason: `the mail server could not be reached or did not answer (${what})` };
}

/** What recipients' refusals mean when others took the mail: one that asks to wait outweighs one that refuses. */
export function judgeRefused(errors: readonly unknown[]): Fault | undefined {
  const faults = errors.map(judgeMail);
  return faults.find(({ result }) => result === 'retry') ?? faults[0];
}
