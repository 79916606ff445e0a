/** Small pieces of the sentences that decisions give as their reason. */
import { REFERENCE_PREFIX } from '@highwater/config/proof/rule/stalled.ts';

/** `1 region`, `3 regions`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Thousands apart by commas, without a locale: 1234567 -> `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Of a subject `service/node`: itself. References are shown nowhere. */
export function nodeName(subject: string): string {
  return subject.startsWith(REFERENCE_PREFIX) ? 'a reference' : subject;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  const last = words.at(-1);
  if (last === undefined) return '';
  return words.length === 1 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

/** Of the probe as a whole, by the operation of its fault: why its answers do not count. */
export const ownTroubles: Readonly<Record<string, string>> = {
  control: "the probe's controls failed too",
  clock: "the probe's clock is not right",
  loop: 'the probe was stopped or too busy',
  schedule: 'the probe was late',
  fd: 'the probe has no file descriptors left',
};

/** Distinct words, the most frequent first, equals by alphabet. */
export function byFrequency(words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([word]) => word);
}
