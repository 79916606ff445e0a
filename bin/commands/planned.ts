/** Commands of the contract that are not built yet: listed in the help, refused by name. */
import { Command } from 'commander';
import { Exit, exitCode } from '../exit.ts';

/** A command leaves this table when it is built. */
export const plannedCommands: Readonly<Record<string, string>> = {
  lab: 'a world to play in on loopback',
  health: 'answers load balancers from the last snapshot',
  operator: 'the page for operators',
  incident: 'what people write about an outage',
  failover: 'what DNS should say, and who decides',
  token: 'API tokens',
  import: 'a config from another tool',
};

/** One of them, for the help and the refusal. */
export function plannedCommand(name: string): Command {
  return new Command(name)
    .description(`${plannedCommands[name] ?? ''} (not in this version)`)
    .argument('[args...]')
    .allowUnknownOption()
    .action(() => {
      throw new Exit(exitCode.unavailable, `highwater: ${name}: not in this version`);
    });
}
