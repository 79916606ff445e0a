/** `highwater up`: everything on one machine, supervised. */
import { existsSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Command } from 'commander';
import { loadSigningKey } from '@highwater/config/keys.ts';
import { operatorStatus, type LogStatus } from '@highwater/config/wire.ts';
import { getFromCollector } from '../collector-client.ts';
import { readConfig } from '../config-file.ts';
import { exitCode } from '../exit.ts';
import { localProbe, operatorKeyFile, probesWithKeysIn } from '../local-probe.ts';
import { lockDataFolder } from '../lock.ts';
import { refuseOtherHistory } from '../operator-key.ts';
import { configFile, dataDir, portOf } from '../options.ts';
import { Supervisor, type RoleSpec, type SupervisorEvent } from '../supervisor.ts';
import { followConfig, type Reload } from '../up-reload.ts';
import { welcome } from '../welcome.ts';

interface UpOptions {
  config?: string;
  data?: string;
  sitePort?: string;
  collectorPort?: string;
  alertsPort?: string;
  probePort?: string;
  bind?: string;
}

export function upCommand(): Command {
  return new Command('up')
    .description('everything on one machine: collector, local probe, alerts and page, each kept alive')
    .option(
      '--config <FILE>',
      'the configuration (HIGHWATER_CONFIG; default config/highwater.yaml of the program)',
    )
    .option(
      '--data <DIR>',
      "where keys, evidence and state are kept (HIGHWATER_DATA; default data in the program's folder)",
    )
    .option('--site-port <PORT>', 'the public page (HIGHWATER_SITE_PORT; default 3000; 0 is any free one)')
    .option('--collector-port <PORT>', 'the collector (HIGHWATER_COLLECTOR_PORT; default 4000)')
    .option(
      '--alerts-port <PORT>',
      "the alerts role's health and metrics (HIGHWATER_ALERTS_PORT; default 4100)",
    )
    .option('--probe-port <PORT>', "the probe's health and metrics (HIGHWATER_PROBE_PORT; default 4200)")
    .option('--bind <ADDRESS>', 'the address the page listens on (HIGHWATER_BIND; default 127.0.0.1)')
    .addHelpText(
      'after',
      `
Examples:
  highwater up                                 the default configuration, page on http://localhost:3000
  highwater up --config my.yaml --data /srv/hw   your own
  highwater up --site-port 0 --collector-port 0  any free ports, printed

Ctrl-C or SIGTERM ends everything within 10 s; the next start goes on from there.
highwater config apply loads another configuration without a restart; so does SIGHUP, where no terminal started it.`,
    )
    .action(async (options: UpOptions) => up(options));
}

async function up(options: UpOptions): Promise<void> {
  const startedAt = performance.now();
  const file = configFile(options.config);
  const data = dataDir(options.data);
  const declared = readConfig(file);
  refuseOtherHistory(declared, data);
  using _lock = lockDataFolder(data, (text) => process.stderr.write(`highwater: ${text}\n`));
  const fresh = !existsSync(`${data}/keys`);
  const local = localProbe(declared, data);
  const config = local ?? declared;
  const probes = probesWithKeysIn(config, data);

  const stop = new AbortController();
  let reload: Reload | undefined;
  const supervisor = new Supervisor((event) => {
    if (event.type === 'said') reload?.heard(event.role, event.message);
    // It may have been killed while it applied one.
    else if (event.type === 'ready') reload?.heard(event.role, { applied: 'applied' });
    else tell(event);
  });
  // Signals arrive twice under npm: a flag, not `once`.
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort());
  const hasTerminal = isatty(0);
  process.on('SIGHUP', () => (hasTerminal ? stop.abort() : reload?.asked()));

  const ports = {
    collector: portOf('collector', options.collectorPort),
    alerts: portOf('alerts', options.alertsPort),
    site: portOf('site', options.sitePort),
    // Several probes on one machine cannot share the usual port.
    probe: probes.length > 1 ? 0 : portOf('probe', options.probePort),
  };
  const bind = options.bind ? ['--bind', options.bind] : [];

  try {
    const work = async () => {
      const roles = { file, data, probes, ports, bind };
      const addresses = await startRoles(supervisor, roles);
      reload = followConfig({ file, data, supervisor, probe: probeRole(roles, addresses.collector) });
      const refused = await refusalAt(addresses.collector, data);
      const shown = { config, ...addresses, probes, fresh, file, data, ...(refused ? { refused } : {}) };
      if (stop.signal.aborted) return;
      process.stdout.write(welcome({ ...shown, startedInMs: performance.now() - startedAt }));
      await aborted(stop.signal);
    };
    // A signal while roles are still starting ends the wait for them.
    await Promise.race([work(), aborted(stop.signal)]);
  } catch (error) {
    // The role has said why on standard error; a first start that fails is not retried.
    if (!stop.signal.aborted) {
      const flags = 'ports under up: --site-port, --collector-port, --alerts-port, --probe-port';
      process.stderr.write(
        `highwater: ${error instanceof Error ? error.message : String(error)}; ${flags}\n`,
      );
      process.exitCode = exitCode.no;
    }
  } finally {
    await supervisor.drain();
  }
}

/** Why the log is not signed, as far as the collector knows so soon; the start-up screen does not depend on it. */
async function refusalAt(collector: string, data: string): Promise<LogStatus['refused']> {
  try {
    return (await getFromCollector('/v1/status', operatorStatus, { collector, data })).log?.refused;
  } catch {
    return undefined;
  }
}

interface RolesOfOneMachine {
  readonly file: string;
  readonly data: string;
  readonly probes: readonly string[];
  readonly ports: Readonly<Record<'collector' | 'alerts' | 'site' | 'probe', number>>;
  readonly bind: readonly string[];
}

/** The collector first: the others need its address and its operator key. */
async function startRoles(
  supervisor: Supervisor,
  { file, data, probes, ports, bind }: RolesOfOneMachine,
): Promise<{ collector: string; page: string }> {
  const shared = ['--config', file, '--data', data];
  const collector = await supervisor.start({
    name: 'collector',
    args: (last) => ['collector', ...shared, '--port', `${last ?? ports.collector}`],
  });
  const toCollector = ['--collector', collector];
  const probe = probeRole({ file, data, probes, ports, bind }, collector);
  const [page] = await Promise.all([
    supervisor.start({
      name: 'site',
      args: (last) => ['site', ...shared, ...toCollector, ...bind, '--port', `${last ?? ports.site}`],
    }),
    supervisor.start({
      name: 'alerts',
      args: (last) => ['alerts', ...shared, ...toCollector, '--port', `${last ?? ports.alerts}`],
    }),
    ...probes.map((id) => supervisor.start(probe(id))),
  ]);
  return { collector, page };
}

/** How a probe of this machine is started, by its id; `isOther`: there is one already, which has the usual port. */
function probeRole({ data, ports }: RolesOfOneMachine, collector: string) {
  // A probe on the same machine need not trust whom it sees first.
  const trust = ['--trust', loadSigningKey(operatorKeyFile(data)).vkey];
  return (id: string, isOther = false): RoleSpec => ({
    name: `probe ${id}`,
    args: (last) => [
      ...['probe', '--id', id, '--data', data, '--collector', collector, ...trust],
      ...['--allow-private', 'config', '--port', `${last ?? (isOther ? 0 : ports.probe)}`],
    ],
  });
}

function tell(event: SupervisorEvent): void {
  if (event.type === 'ended') {
    process.stderr.write(`highwater: ${event.role} ended (${event.how}); again in ${event.againInMs} ms\n`);
  } else if (event.type === 'hung') {
    const how = `did not answer /healthz ${event.unanswered} times in a row`;
    process.stderr.write(`highwater: ${event.role} ${how}: killed, to be started again\n`);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }));
}
