/** What a message looks like on Discord. Pure. */
import type { Impact } from '@highwater/config/domain.ts';
import type { Message } from '@highwater/config/kinds.ts';
import { reportParts } from '../report.ts';
import { cut, escapeWithin } from '../text.ts';

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
export const embedLimits = {
  title: 256,
  description: 4_096,
  footer: 2_048,
  fields: 25,
  name: 256,
  value: 1_024,
} as const;
/** Ours, of the 6,000 that an embed may have in all: leaves room for title, what stands below, and foot. */
const maxFields = 4_000;
const maxBelow = 1_200;
/** Ours: leaves room for the other lines, as a single one cannot fill the description. */
const maxLine = 700;

/** https://discord.com/developers/docs/resources/message#embed-object: colours as 0xRRGGBB. */
const colours: Readonly<Record<Impact | 'resolved' | 'test' | 'report', number>> = {
  critical: 0xb3261e,
  major: 0xd9480f,
  minor: 0xe6a700,
  none: 0x6b7280,
  resolved: 0x2f9e44,
  test: 0x3b7dd8,
  report: 0x33566e,
};

export interface Embed {
  readonly title: string;
  readonly description: string;
  readonly url?: string;
  readonly color: number;
  readonly timestamp: string;
  readonly footer: { readonly text: string };
  readonly fields?: Field[];
}

interface Field {
  readonly name: string;
  readonly value: string;
}

/** `refer` is a link to the first message of the thread, made by us and not escaped. */
export function embedOf(message: Message, refer?: string): Embed {
  const report = message.reason === 'report' ? reportParts(message) : undefined;
  const fields = fieldsOf(report?.services ?? []);
  const lines = (report?.rest ?? message.lines).map((line) => labelled(line));
  if (refer !== undefined) lines.push(`[First message of this incident](${refer})`);
  return {
    title: escapeMarkdown(message.title, embedLimits.title),
    description: joinWithin(lines, report ? maxBelow : embedLimits.description),
    ...(message.url === undefined ? {} : { url: message.url }),
    color: colours[colourOf(message)],
    timestamp: new Date(message.at).toISOString(),
    footer: { text: cut(message.key, embedLimits.footer) },
    ...(fields.length === 0 ? {} : { fields }),
  };
}

function colourOf(message: Message): keyof typeof colours {
  if (message.reason === 'test' || message.reason === 'report') return message.reason;
  return message.reason === 'resolved' || message.title.startsWith('Resolved: ')
    ? 'resolved'
    : message.impact;
}

/** A field for each service of a report; those that are over the limits are on the page. */
function fieldsOf(services: readonly (readonly string[])[]): Field[] {
  const fields: Field[] = [];
  let units = 0;
  for (const [name = '', figure = '', known = '', objective = '', down = ''] of services) {
    const value = [
      `**${escapeMarkdown(figure, maxLine)}**`,
      `known ${escapeMarkdown(known, maxLine)}`,
      `objective ${escapeMarkdown(objective, maxLine)}`,
      `${escapeMarkdown(down, maxLine)} down`,
    ].join(' · ');
    const field = {
      name: escapeMarkdown(name, embedLimits.name) || '-',
      value: cut(value, embedLimits.value),
    };
    units += field.name.length + field.value.length;
    if (fields.length === embedLimits.fields || units > maxFields) break;
    fields.push(field);
  }
  return fields;
}

/** `Since: …` with its label in bold. The label is only taken for one when it is a plain word. */
function labelled(line: string): string {
  const match = /^([A-Za-z ]{1,20}): (.*)$/u.exec(line);
  if (!match) return escapeMarkdown(line, maxLine);
  return `**${match[1]}:** ${escapeMarkdown(match[2] ?? '', maxLine)}`;
}

function joinWithin(lines: readonly string[], max: number): string {
  let out = '';
  for (const line of lines) {
    if (out.length + 1 + line.length > max) break;
    out += out === '' ? line : `\n${line}`;
  }
  return out;
}

/**
 * Text that Discord shows as it is. A backslash before any punctuation makes it literal
 * (https://discord.com/developers/docs/reference#message-formatting lists what `<`, `@` and `#` begin);
 * `@` is also followed by a zero-width space, so that `@everyone` is no mention even where mentions are allowed.
 * A colon is escaped before `//` alone: that keeps a hostile address from becoming a link, and times readable;
 * what begins a list, only where it does.
 */
export function escapeMarkdown(text: string, maxUnits: number): string {
  const marked = text.replace(/:(?=\/\/)/g, '\u0000').replace(/^(\d*)([-+.)])(?= )/u, '$1\u0001$2');
  return escapeWithin(marked, maxUnits, (rune) => {
    if (rune === '\u0000') return '\\:';
    if (rune === '\u0001') return '\\';
    if (rune === '@') return '@\u200b';
    return /[\\*_~`|>#[\]<]/.test(rune) ? `\\${rune}` : rune;
  });
}
