/** Checks a bundle in the background: told what by the page (messages.ts), tells how far it is and what it found. */
import './jitless.ts';
import { checkBundle } from '@highwater/config/bundle/check-bundle.ts';
import type { Evidence, EvidenceOptions } from '@highwater/config/bundle/check.ts';
import { BundleError } from '@highwater/config/bundle/files.ts';
import { checkText, checkWords } from '@highwater/config/report/check-words.ts';
import type { Report } from '@highwater/config/report/report.ts';
import { browserChecker, TooManySignatures, type BrowserChecker } from './checker.ts';
import { refusedOf } from './given.ts';
import type { Answer, Task } from './messages.ts';
import { ownFiles } from './own-files.ts';
import { servedFiles } from './served-files.ts';

/** Between two words of how far it is. */
const PROGRESS_MS = 100;
const elsewhere = 'Use a current browser, or the command: highwater verify.';

const tell = (answer: Answer): void => postMessage(answer);

addEventListener('message', ({ data }: MessageEvent<Task>) => {
  run(data).then(tell, (error: unknown) => tell(failure(error)));
});

async function run(task: Task): Promise<Answer> {
  const refused = refusedOf(task);
  if (refused !== undefined)
    return { kind: 'failed', says: refused, remedy: 'Mend it, or leave the field empty.' };
  const startedAt = performance.now();
  // Some browsers hide it on pages that came by plain http.
  const checker = await browserChecker({ subtle: globalThis.crypto?.subtle });
  const slow = slowText(checker);
  if (slow !== undefined) tell({ kind: 'slow', says: slow });
  const { evidence, report } = await check(task, checker);
  const words = checkWords(evidence, {
    ...(task.service === undefined ? {} : { service: task.service }),
    ...(report === undefined ? {} : { report }),
  });
  return { kind: 'done', words, text: checkText(words), tookMs: performance.now() - startedAt };
}

async function check(
  { source, ...given }: Task,
  checker: BrowserChecker,
): Promise<{ readonly evidence: Evidence; readonly report?: Report | undefined }> {
  let toldAt = 0;
  const options: EvidenceOptions = {
    ...given,
    progress(progress) {
      const now = performance.now();
      if (now - toldAt < PROGRESS_MS) return;
      toldAt = now;
      tell({ kind: 'progress', progress });
    },
  };
  if (source.kind === 'served') {
    const files = servedFiles(`/reports/${source.month}/bundle/`, `?revision=${source.revision}`);
    const { evidence, problems, report } = await checkBundle(files, checker, options);
    return { evidence: { ...evidence, problems }, report };
  }
  const files = await ownFiles(source.file);
  try {
    const { evidence, problems, report } = await checkBundle(files, checker, options);
    const isOver = given.service !== undefined || problems.length > 0;
    return { evidence: { ...evidence, problems: isOver ? problems : await rest(files) }, report };
  } finally {
    await files.close();
  }
}

/** What nobody asked for may be there too, and a gzip is only whole at its end. */
async function rest(files: Awaited<ReturnType<typeof ownFiles>>): Promise<Evidence['problems']> {
  try {
    await files.finish();
    return [];
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return [{ kind: 'incomplete', file: error.file, says: error.message }];
  }
}

function slowText({ lends }: BrowserChecker): string | undefined {
  if (!lends.sha256)
    return `This page came without https, so the browser lends it no cryptography: all is computed in JavaScript, which takes several times as long. ${elsewhere}`;
  if (!lends.ed25519)
    return `This browser verifies no Ed25519 signatures by itself, or not as the standard says. They are verified in JavaScript, as long as they are few. ${elsewhere}`;
  return undefined;
}

function failure(error: unknown): Answer {
  if (error instanceof TooManySignatures)
    return { kind: 'failed', says: `It has ${error.message}.`, remedy: elsewhere };
  if (error instanceof BundleError)
    return {
      kind: 'failed',
      says: `${error.file === '' ? '' : `${error.file}: `}${error.message}.`,
      remedy: 'Nothing is said of the report.',
    };
  const why = error instanceof Error ? error.message : String(error);
  return {
    kind: 'failed',
    says: `The check could not go on: ${why}`,
    remedy: 'Nothing is said of the report. Please tell those who run this site.',
  };
}
