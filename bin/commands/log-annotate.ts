/** `highwater log annotate`: a remark about an entry of the log. */
import { Command } from 'commander';
import { annotationWritten } from '@highwater/config/wire.ts';
import { postToCollector } from '../collector-client.ts';
import type { CollectorFlags } from '../collector-client.ts';
import { Exit, exitCode } from '../exit.ts';
import { plain, printJson } from '../print.ts';

export function annotateCommand(): Command {
  return new Command('annotate')
    .description('writes a remark about an entry: it changes nothing in the number, it stands beside')
    .argument('<LEAF>', 'leaf hash of the entry in base64 or hex, or its place as YEAR/INDEX')
    .argument('<TEXT>', 'one line of at most 2,000 characters; it is public, and there for good')
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--insecure', 'plain http to a collector on another machine')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Prints the leaf hash of the remark. The same remark again is held, and no second entry.

Example:
  highwater log annotate 2026/1234 "The probe of that minute had lost its uplink"`,
    )
    .action(async (of: string, text: string, options: CollectorFlags & { json?: boolean }) => {
      const answer = annotationWritten.safeParse(
        await postToCollector('/v1/annotations', { of, text }, options),
      );
      if (!answer.success) {
        const said = 'highwater: the collector answers, but not as this version does; is it another one?';
        throw new Exit(exitCode.unavailable, said);
      }
      if (options.json) printJson(answer.data);
      else process.stdout.write(`${plain(answer.data.leaf)}\n`);
    });
}
