/** What `highwater verify` prints: what every check says (report/check-words.ts), and what to do about whose word was taken. */
import type { Evidence } from '@highwater/config/bundle/check.ts';
import { checkText, checkWords } from '@highwater/config/report/check-words.ts';
import type { Report } from '@highwater/config/report/report.ts';
import { plain } from './print.ts';

export interface VerifyTold {
  /** The one service that was checked. */
  readonly service?: string;
  /** What the bundle claims, where it could be read. */
  readonly report?: Report;
  readonly seconds: number;
  /** As it was typed, quoted for a shell. */
  readonly typed: string;
  /** `npm run -s hw -- verify` */
  readonly program: string;
}

/** The first line is the verdict. @param evidence with all problems, those of the report too */
export function verifyText(evidence: Evidence, told: VerifyTold): string {
  const { service, report, seconds, typed, program } = told;
  const words = checkWords(evidence, {
    ...(service === undefined ? {} : { service }),
    ...(report === undefined ? {} : { report }),
  });
  const took = `It took ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s.`;
  const text = checkText(
    { ...words, checked: [...words.checked, took] },
    believeText(evidence, `${program} ${typed}`),
  );
  return text.split('\n').map(plain).join('\n');
}

/** Loud where the bundle vouches for itself: whoever made it all up has made up its keys too. */
function believeText({ trust }: Evidence, command: string): string[] {
  const { keysFrom, policyFrom, operatorKey, probes } = trust;
  // It was not come so far.
  if (operatorKey === '') return [];
  const flags = [
    ...(keysFrom === 'bundle' ? ["--key 'VKEY'"] : []),
    ...(policyFrom === 'bundle' ? ['--policy FILE'] : []),
  ];
  if (flags.length === 0) return [];
  return [
    '',
    keysFrom === 'bundle'
      ? 'BELIEVED UNSEEN: the keys are those that the bundle itself names. Whoever made it could have made them up.'
      : 'BELIEVED UNSEEN: the witnesses are those that the bundle itself names.',
    '  Get them from elsewhere (people who run witnesses or probes, an earlier report, a post of the operator), then run:',
    `  ${command} ${flags.join(' ')}`,
    ...(probes.all > 0 && probes.byOthers === 0
      ? [
          '  No probe is run by others: whether they measured what they signed, you have from the operator alone.',
        ]
      : []),
  ];
}
