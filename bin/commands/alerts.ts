/** `highwater alerts`: the role that tells people, and what people say to it. */
import { userInfo } from 'node:os';
import { Command } from 'commander';
import type { Config } from '@highwater/config/model.ts';
import { alertList } from '@highwater/config/wire.ts';
import type { AlertList } from '@highwater/config/wire.ts';
import { getJson, postToCollector } from '../collector-client.ts';
import type { CollectorFlags } from '../collector-client.ts';
import { readConfig } from '../config-file.ts';
import { Exit, exitCode } from '../exit.ts';
import { apiToken, bindAddress, collectorUrl, configFile, dataDir, portOf } from '../options.ts';
import { ago, columns, plain, printJson, utc } from '../print.ts';
import { restarting } from '../restarting.ts';
import { runRole } from '../role.ts';

interface AlertsFlags extends CollectorFlags {
  readonly config?: string;
  readonly port?: string;
  readonly bind?: string;
}

export function alertsCommand(): Command {
  const command = new Command('alerts')
    .description('tells people: follows the events of the collector and delivers to channels')
    .enablePositionalOptions()
    .option(
      '--config <FILE>',
      'the configuration (HIGHWATER_CONFIG; default config/highwater.yaml of the program)',
    )
    .option(
      '--data <DIR>',
      "where it keeps what it still has to say (HIGHWATER_DATA; default data in the program's folder)",
    )
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--port <PORT>', 'health and metrics (HIGHWATER_ALERTS_PORT; default 4100; 0 is any free one)')
    .option('--bind <ADDRESS>', 'where they listen (default 127.0.0.1)')
    .option('--insecure', 'plain http to a collector on another machine')
    .addHelpText(
      'after',
      `
Examples:
  highwater alerts                      the role itself; highwater up runs it
  highwater alerts test ops             sends a message that says it is a test
  highwater alerts list
  highwater alerts ack INCIDENT         stops its later steps and repeats`,
    )
    .action((options: AlertsFlags) => run(options));
  command.addCommand(testCommand());
  command.addCommand(listCommand());
  command.addCommand(ackCommand());
  for (const name of ['silence', 'explain']) command.addCommand(notYet(name));
  return command;
}

async function run(options: AlertsFlags): Promise<void> {
  const { startAlerts } = await import('../../alerts/src/main.ts');
  const data = dataDir(options.data);
  const token = apiToken(data);
  await runRole('alerts', (log, signal) =>
    restarting({
      read: () => readConfig(configFile(options.config)),
      start: (config, port = portOf('alerts', options.port), ending) =>
        startAlerts(
          {
            config,
            dataDir: data,
            collectorUrl: collectorUrl(options.collector, options.insecure),
            host: bindAddress(options.bind),
            port,
            log,
            ...(token === undefined ? {} : { token }),
          },
          ending,
        ),
      log,
      signal,
    }),
  );
}

function testCommand(): Command {
  return new Command('test')
    .description('sends a message that says it is a test')
    .argument('<CHANNEL>', 'its id under alerts.channels')
    .option(
      '--config <FILE>',
      'the configuration (HIGHWATER_CONFIG; default config/highwater.yaml of the program)',
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nEnds with 0 when it was delivered, 1 when not, 2 without such a channel.\n\nExample:\n  highwater alerts test ops',
    )
    .action(async (channel: string, options: { config?: string; json?: boolean }) => {
      const { sendTest } = await import('../../alerts/src/test.ts');
      const config = readConfig(configFile(options.config));
      refuseUnknownChannel(channel, config);
      const delivery = await sendTest(channel, config);
      if (options.json) printJson({ channel, ...delivery });
      else process.stdout.write(`${deliveryText(channel, delivery)}\n`);
      if (delivery.result !== 'delivered') process.exitCode = exitCode.no;
    });
}

function refuseUnknownChannel(channel: string, { alerts }: Config): void {
  const ids = alerts.channels.map(({ id }) => id);
  if (ids.includes(channel)) return;
  const remedy = ids.length === 0 ? 'add one under alerts.channels' : `there are: ${ids.join(', ')}`;
  throw new Exit(exitCode.usage, `highwater alerts test: ${plain(channel)}: no such channel, ${remedy}`);
}

function deliveryText(
  channel: string,
  delivery: { result: 'delivered'; note?: string } | { result: 'retry' | 'permanent'; reason: string },
): string {
  if (delivery.result === 'delivered') {
    return `${channel}: delivered${delivery.note === undefined ? '' : `, but ${plain(delivery.note)}`}`;
  }
  const again = delivery.result === 'retry' ? 'may pass by itself' : 'somebody has to mend it';
  return `${channel}: not delivered (${again}): ${plain(delivery.reason)}`;
}

function listCommand(): Command {
  return new Command('list')
    .description('what is being told to whom, newest first')
    .option(
      '--alerts <URL>',
      'the alerts role (default http://127.0.0.1:4100, port by HIGHWATER_ALERTS_PORT)',
    )
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  highwater alerts list')
    .action(async (options: { alerts?: string; data?: string; json?: boolean }) => {
      const base = options.alerts ?? `http://127.0.0.1:${portOf('alerts')}`;
      const list = await getJson(base, '/v1/alerts', alertList, { data: options.data, what: 'alerts role' });
      if (options.json) printJson(list);
      else process.stdout.write(listText(list).split('\n').map(plain).join('\n'));
    });
}

function listText(list: AlertList): string {
  const heard = list.heardAt === undefined ? 'never' : `${ago(list.at - list.heardAt)} ago`;
  const alerts = list.alerts.map(({ incident, state, acknowledged, told, nextAt }) => [
    incident.id,
    acknowledged ? `acknowledged by ${acknowledged.by}` : state,
    incident.title,
    told.length === 0 ? 'nobody told' : `told ${told.map(({ channel }) => channel).join(', ')}`,
    nextAt === undefined ? '' : `next ${utc(nextAt)}`,
  ]);
  const channels = list.channels.map(({ id, kind, pending, closed }) => [
    id,
    kind,
    `${pending} waiting`,
    closed === undefined ? 'works' : `closed: ${closed}`,
  ]);
  return [
    `the collector was heard ${heard}\n`,
    alerts.length === 0 ? 'no alerts\n' : columns(alerts),
    channels.length === 0 ? 'no channels: nobody is told\n' : columns(channels),
  ].join('\n');
}

function ackCommand(): Command {
  return new Command('ack')
    .description('acknowledges an incident: its later steps and repeats stop')
    .argument('<ID>', 'the incident, as alerts list and the messages name it')
    .option('--by <NAME>', 'who you are; your user name here when left out')
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--insecure', 'plain http to a collector on another machine')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  highwater alerts ack inc-42 --by Ada')
    .action(async (id: string, options: CollectorFlags & { by?: string; json?: boolean }) => {
      const by = options.by ?? userInfo().username;
      const answer = await postToCollector(`/v1/alerts/${encodeURIComponent(id)}/ack`, { by }, options);
      if (options.json) printJson(answer ?? { acknowledged: id, by });
      else process.stdout.write(`${plain(id)}: acknowledged by ${plain(by)}\n`);
    });
}

function notYet(name: string): Command {
  return new Command(name)
    .description('(not in this version)')
    .argument('[args...]')
    .allowUnknownOption()
    .action(() => {
      throw new Exit(exitCode.unavailable, `highwater: alerts ${name}: not in this version`);
    });
}
