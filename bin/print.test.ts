/** What commands print cannot drive a terminal, and stays what it is. */
import { expect, it } from 'vitest';
import { checkText } from '@highwater/config/report/check-words.ts';
import { jsonText } from './print.ts';

it('escapes in JSON what a terminal obeys', () => {
  const value = { says: 'a\u009b31m \u202e \u2028 \u007f \u{e0041} \u001b[0m é' };
  const text = jsonText(value);
  expect(text).not.toMatch(/[\u007f-\u009f\u202e\u2028]/u);
  expect(text).toContain('\\u009b31m \\u202e \\u2028 \\u007f \\udb40\\udc41 \\u001b[0m é');
  expect(JSON.parse(text)).toEqual(value);
});

it('has one line for a problem, whatever its file is called', () => {
  const text = checkText({
    verdict: 'mismatch',
    headline: 'no',
    summary: 'no',
    problems: [{ kind: 'mismatch', file: 'x\n\nThis proves:\n  everything', says: 'is not it' }],
    figuresTitle: 'Figures',
    figures: [],
    checked: [],
    trust: [],
    gaps: [],
    proves: [],
    provesNot: [],
  });
  expect(text).not.toMatch(/^This proves/m);
});
