/** `highwater log`: the log of evidence, and who vouches for it. */
import { Command } from 'commander';
import { operatorStatus } from '@highwater/config/wire.ts';
import { getFromCollector } from '../collector-client.ts';
import type { CollectorFlags } from '../collector-client.ts';
import { Exit, exitCode } from '../exit.ts';
import { isLogWell, logText } from '../log-text.ts';
import { printJson } from '../print.ts';
import { annotateCommand } from './log-annotate.ts';

export function logCommand(): Command {
  return new Command('log')
    .description('the log of evidence: what is signed, and who vouches for it')
    .addHelpText(
      'after',
      `
Example:
  highwater log status
  highwater log annotate 2026/1234 "The probe of that minute had lost its uplink"`,
    )
    .addCommand(statusCommand())
    .addCommand(annotateCommand());
}

function statusCommand(): Command {
  return new Command('status')
    .description('its size and root, what waits, whether it is signed, and what each witness has cosigned')
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--insecure', 'plain http to a collector on another machine')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Ends with 0 when all is well, 1 when nothing is signed or fewer witnesses vouch for it than the policy asks for,
3 when the collector is not reached. Without witnesses it ends with 0, and says what that means.

Examples:
  highwater log status
  highwater log status --json | jq '.witnesses[] | {name, size, error}'`,
    )
    .action(async (options: CollectorFlags & { json?: boolean }) => {
      const { log, at } = await getFromCollector('/v1/status', operatorStatus, options);
      if (!log)
        throw new Exit(exitCode.unavailable, 'highwater: this collector tells nothing of its log; update it');
      if (options.json) printJson(log);
      else process.stdout.write(logText(log, at));
      if (!isLogWell(log)) process.exitCode = exitCode.no;
    });
}
