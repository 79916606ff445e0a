import { commandLine, nearPath } from './hint.ts';
import type { Config } from '@highwater/config/model.ts';
import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import type { LogStatus } from '@highwater/config/wire.ts';
import { plain } from './print.ts';

export interface Welcome {
  readonly config: Config;
  readonly page: string;
  readonly collector: string;
  readonly probes: readonly string[];
  readonly fresh: boolean;
  /** Absolute. */
  readonly file: string;
  readonly data: string;
  readonly startedInMs: number;
  /** Why the log is not signed, where the collector says so. */
  readonly refused?: LogStatus['refused'];
}

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;

/** Who is to say that the log is the same for everybody; who did is known later (`log status`). */
function vouched({ witnesses }: Config): string {
  if (!witnesses) return noWitnesses;
  const { list, quorum } = witnesses;
  return `asked to cosign: ${list.map(({ id }) => id).join(', ')}; readers ask for ${quorum} of ${list.length}`;
}

function unsigned({ because, remedy }: NonNullable<LogStatus['refused']>): string {
  return `NOTHING IS SIGNED: ${plain(because)}\n            what to do: ${plain(remedy)}`;
}

/** The one screen that `up` prints: where the page is, what is watched and from where, where data lies, what next. */
export function welcome(shown: Welcome): string {
  const { config } = shown;
  const nodes = config.services.reduce((sum, service) => sum + service.nodes.length, 0);
  const services = config.services.map(({ name }) => name);
  const named =
    services.length > 4
      ? `${services.slice(0, 3).join(', ')} and ${services.length - 3} more`
      : services.join(', ');
  const channels = config.alerts.channels.map(({ id }) => id).join(', ');
  const from = config.regions.map(({ name }) => name).join(', ');
  const elsewhere = config.probes.map(({ id }) => id).filter((id) => !shown.probes.includes(id));
  const { collector, data } = shown;
  const commands: readonly (readonly [string, string])[] = [
    [commandLine('status', { collector, data }), 'what is up, from here'],
    [commandLine('why MONITOR', { collector, data }), 'the votes and lines behind a verdict'],
    [commandLine('doctor', { config: shown.file, data }), 'what is missing before this can be relied on'],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  // With long paths a column for what they say would not fit the screen.
  const next = commands.map(([command, says]) =>
    width > 60 ? command : `${command.padEnd(width)}   ${says}`,
  );
  return `
  Highwater watches ${config.site.name}  (started in ${(shown.startedInMs / 1000).toFixed(1)} s)

  page      ${shown.page.replace('127.0.0.1', 'localhost')}
  watching  ${named}: ${plural(nodes, 'node')}, ${plural(config.monitors.length, 'check')}
  from      ${from}: ${shown.probes.length > 0 ? `probe ${shown.probes.join(', ')} on this machine` : 'no probe on this machine'}${elsewhere.length > 0 ? `; expected from elsewhere: ${elsewhere.join(', ')}` : ''}
  alerts    ${channels || `none: nobody is told yet; add a channel under alerts.channels`}
  log       ${shown.refused ? unsigned(shown.refused) : vouched(config)}
  config    ${nearPath(shown.file)}
  data      ${nearPath(shown.data)}${shown.fresh ? '  (new keys in it: keep a copy of keys/)' : ''}

  next      ${next.join('\n            ')}
            edit ${nearPath(shown.file)}, then ${commandLine('config apply', { collector, data })}: your own endpoints
            Ctrl-C ends everything; the next start goes on from here

`;
}
