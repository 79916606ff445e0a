/** The command line: finds the command, runs it, and turns errors into one line and an exit code. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { commands } from './commands/index.ts';
import { plannedCommands } from './commands/planned.ts';
import { Exit, exitCode, usageCodeOf } from './exit.ts';
import { startTelemetry } from './telemetry.ts';

/** Runs `highwater ARGS`. Sets process.exitCode; never throws. */
export async function main(args: readonly string[]): Promise<void> {
  // `highwater … | head` closes the pipe early: that is not an error worth a stack.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    await using _telemetry = await startTelemetry(process.env);
    const program = await buildProgram(args);
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    process.exitCode = explainError(error, usageCodeOf(args.find((arg) => !arg.startsWith('-'))));
  }
}

async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('highwater')
    .description('Watches public blockchain endpoints and tells people what is broken.')
    .version(version(), '--version', 'print the version')
    .helpOption('--help', 'what a command does, with examples')
    .showSuggestionAfterError()
    // `probe keygen --id` is the id of keygen, not of probe.
    .enablePositionalOptions()
    .addHelpText(
      'after',
      `\nNot in this version: ${Object.keys(plannedCommands).join(', ')}.\n\nhighwater COMMAND --help explains one command. Settings: docs/config.md.`,
    );
  const wanted = args.find((arg) => !arg.startsWith('-')) ?? '';
  // Only the command that runs is loaded: a status query needs neither a database nor a mail client.
  const load = Object.hasOwn(commands, wanted) ? commands[wanted] : undefined;
  const loaded = load ? [await load()] : await Promise.all(Object.values(commands).map((each) => each()));
  for (const command of loaded) {
    program.addCommand(command, { hidden: Object.hasOwn(plannedCommands, command.name()) });
  }
  everyCommand(program, (command) => command.exitOverride().helpOption('--help', 'this help'));
  return program;
}

function everyCommand(command: Command, change: (command: Command) => unknown): void {
  change(command);
  for (const inner of command.commands) everyCommand(inner, change);
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Prints what went wrong, once and without a stack (HIGHWATER_DEBUG=1 shows it). Gives the exit code. */
function explainError(error: unknown, usage: number): number {
  // Commander has printed its own message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : usage;
  if (process.env['HIGHWATER_DEBUG'] === '1') console.error(error);
  if (error instanceof Exit) {
    if (error.message !== '') process.stderr.write(`${error.message}\n`);
    return error.code;
  }
  process.stderr.write(`highwater: ${error instanceof Error ? error.message : String(error)}\n`);
  return exitCode.no;
}
