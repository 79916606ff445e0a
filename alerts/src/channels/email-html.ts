/**
 * The HTML part of a mail: one small card, readable in light and dark, at any width, with no script and nothing
 * fetched from elsewhere. Clients that strip <style> get the inline light colours. Pure.
 */
import type { Impact } from '@highwater/config/domain.ts';
import type { Message } from '@highwater/config/kinds.ts';
import { SUMMARY_HEAD } from '@highwater/config/report/summary.ts';
import { reportParts } from '../report.ts';

/** White text on each has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3). */
const bands: Readonly<
  Record<Impact | 'resolved' | 'test' | 'report', { readonly colour: string; readonly word: string }>
> = {
  critical: { colour: '#9b1c1c', word: 'Critical' },
  major: { colour: '#b3400e', word: 'Major' },
  minor: { colour: '#7a5a00', word: 'Minor' },
  none: { colour: '#4b5563', word: 'Notice' },
  resolved: { colour: '#1d6b34', word: 'Resolved' },
  test: { colour: '#1f5fae', word: 'Test' },
  report: { colour: '#33566e', word: 'Report' },
};

const style = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #14171a !important; }
  .card { background: #1e2226 !important; border-color: #353b41 !important; }
  .title, .value, .value-cell { color: #f0f2f4 !important; }
  .cell { border-color: #353b41 !important; }
  .label, .foot { color: #aab2ba !important; }
  .link { color: #8cc2ff !important; }
}
@media (max-width: 480px) {
  .page { padding: 8px !important; }
  td.label, .value { display: block !important; width: auto !important; padding-right: 0 !important; }
  .cell { padding-right: 6px !important; min-width: 0 !important; font-size: 10px !important; }
  .cell:first-child { min-width: 56px !important; }
  .cell:last-child { padding-right: 0 !important; }
  td.label { padding-bottom: 0 !important; }
  .value { padding-top: 0 !important; }
}`;

const font = "font-family: system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif;";

/** `siteName` is shown in the foot. */
export function htmlOf(message: Message, siteName: string): string {
  const band = bands[bandOf(message)];
  const { services, rest } =
    message.reason === 'report' ? reportParts(message) : { services: [], rest: message.lines };
  const url = message.url;
  const button =
    url === undefined
      ? ''
      : `<p style="margin: 16px 0 0; overflow-wrap: anywhere;"><a class="link" href="${escapeHtml(url)}" style="color: #0b57a4; font-weight: 600;">${escapeHtml(url)}</a></p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(message.title)}</title>
<style>${style}
</style>
</head>
<body class="page" style="margin: 0; padding: 24px 16px; background: #f3f4f6; ${font}">
<div class="card" style="max-width: 600px; margin: 0 auto; background: #ffffff; border: 1px solid #d5d9de; border-radius: 8px; overflow: hidden;">
<div style="background: ${band.colour}; color: #ffffff; padding: 8px 20px; font-size: 14px; font-weight: 600;">${band.word}</div>
<div style="padding: 20px;">
<h1 class="title" style="margin: 0 0 16px; font-size: 20px; line-height: 1.3; color: #14171a; overflow-wrap: anywhere;">${escapeHtml(message.title)}</h1>
${figures(services)}<table role="presentation" cellpadding="0" cellspacing="0" style="width: 100%; border-collapse: collapse; font-size: 15px; line-height: 1.45;">
${rest.map(row).join('\n')}
</table>
${button}
</div>
</div>
<p class="foot" style="max-width: 600px; margin: 12px auto 0; font-size: 13px; color: #59626b; overflow-wrap: anywhere;">${escapeHtml(siteName)} &middot; ${escapeHtml(message.key)}</p>
</body>
</html>
`;
}

function bandOf(message: Message): keyof typeof bands {
  if (message.reason === 'test' || message.reason === 'report') return message.reason;
  return message.reason === 'resolved' ? 'resolved' : message.impact;
}

/** The figures of a report. On a narrow screen the table is scrolled, not the page. */
function figures(services: readonly (readonly string[])[]): string {
  if (services.length === 0) return '';
  const cell = (tag: 'th' | 'td', text: string, column: number): string => {
    const isName = column === 0;
    const scope = tag === 'th' ? ' scope="col"' : '';
    const look =
      tag === 'th'
        ? 'color: #59626b; font-weight: 600; border-bottom: 2px solid #d5d9de;'
        : 'color: #14171a; border-bottom: 1px solid #e4e7eb;';
    return `<${tag}${scope} class="cell ${tag === 'th' ? 'label' : 'value-cell'}" style="padding: 6px ${column === SUMMARY_HEAD.length - 1 ? '0' : '14px'} 6px 0; text-align: ${isName ? 'left' : 'right'}; vertical-align: top; ${isName ? 'overflow-wrap: anywhere; min-width: 96px;' : 'font-variant-numeric: tabular-nums;'} ${look}">${together(escapeHtml(text))}</${tag}>`;
  };
  const line = (tag: 'th' | 'td', cells: readonly string[]) =>
    `<tr>${cells.map((text, column) => cell(tag, text, column)).join('')}</tr>`;
  return `<div style="overflow-x: auto; margin: 0 0 16px;"><table cellpadding="0" cellspacing="0" style="width: 100%; border-collapse: collapse; font-size: 14px; line-height: 1.4;">
<thead>${line('th', SUMMARY_HEAD)}</thead>
<tbody>
${services.map((cells) => line('td', cells)).join('\n')}
</tbody>
</table></div>
`;
}

/** A number and its unit stay on one line; what stands beside them may go to the next. */
const together = (html: string): string =>
  html.replace(/(\d) (%|min)/gu, '$1&nbsp;$2').replace('not met', 'not&nbsp;met');

function row(line: string): string {
  const match = /^([A-Za-z ]{1,20}): (.*)$/u.exec(line);
  const value = (text: string, span: string) =>
    `<td class="value"${span} style="padding: 4px 0; color: #14171a; vertical-align: top; overflow-wrap: anywhere;">${escapeHtml(text)}</td>`;
  if (!match) return `<tr>${value(line, ' colspan="2"')}</tr>`;
  const [, label = '', text = ''] = match;
  return `<tr><td class="label" style="padding: 4px 16px 4px 0; width: 1%; white-space: nowrap; color: #59626b; vertical-align: top;">${escapeHtml(label)}</td>${value(text, '')}</tr>`;
}

/** For element content and quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
