/** `highwater collector`: stores what probes saw and agrees on what is true. */
import { Command } from 'commander';
import type { Config } from '@highwater/config/model.ts';
import { Secret } from '@highwater/config/secrets.ts';
import type { ConfigApplied } from '@highwater/config/wire.ts';
import { readConfig } from '../config-file.ts';
import { configSource } from '../config-source.ts';
import { Exit, exitCode } from '../exit.ts';
import { localProbe, localProbeIfMade } from '../local-probe.ts';
import { refuseOtherHistory } from '../operator-key.ts';
import { bindAddress, configFile, dataDir, portOf, tokenOfEnvironment } from '../options.ts';
import { runRole } from '../role.ts';

interface CollectorFlags {
  readonly config?: string;
  readonly data?: string;
  readonly port?: string;
  readonly bind?: string;
}

export function collectorCommand(): Command {
  return new Command('collector')
    .description('stores what the probes saw, agrees on what is true, and answers for it')
    .option(
      '--config <FILE>',
      'the configuration (HIGHWATER_CONFIG; default config/highwater.yaml of the program)',
    )
    .option(
      '--data <DIR>',
      "where keys and history are (HIGHWATER_DATA; default data in the program's folder)",
    )
    .option('--port <PORT>', 'where it listens (HIGHWATER_COLLECTOR_PORT; default 4000; 0 is any free one)')
    .option(
      '--bind <ADDRESS>',
      'the address it listens on (HIGHWATER_BIND; default 127.0.0.1); wider needs a token',
    )
    .addHelpText('after', '\nExample:\n  highwater collector --config my.yaml --data /var/lib/highwater')
    .action((options: CollectorFlags) => run(options));
}

async function run(options: CollectorFlags): Promise<void> {
  refuseOtherStores();
  const { startCollector } = await import('../../collector/src/main.ts');
  const data = dataDir(options.data);
  const given = tokenOfEnvironment();
  await runRole('collector', async (log, signal) => {
    const file = configFile(options.config);
    const warn = (warning: string): void => log.warn({ event: 'config.warning' }, warning);
    const config = readConfig(file, warn);
    refuseOtherHistory(config, data);
    // Under `up` the probe of this machine is made as soon as a configuration needs one.
    const complete = (declared: Config): Config =>
      process.send === undefined
        ? localProbeIfMade(declared, data)
        : (localProbe(declared, data) ?? declared);
    const applied = (answer: ConfigApplied): void => void process.send?.({ applied: answer.result, answer });
    return startCollector(
      {
        config: localProbeIfMade(config, data),
        source: configSource({ file, complete, applied, warn }),
        dataDir: data,
        host: bindAddress(options.bind),
        port: portOf('collector', options.port),
        log,
        ...(given === undefined ? {} : { token: new Secret(given) }),
      },
      signal,
    );
  });
}

/** Stores and blobs of CONTRACTS that are not built yet. */
function refuseOtherStores(): void {
  for (const name of ['HIGHWATER_STORE', 'HIGHWATER_BLOBS']) {
    const value = process.env[name];
    if (value === undefined || value === '') continue;
    throw new Exit(
      exitCode.unavailable,
      `highwater collector: ${name}: not in this version, unset it; everything is kept in the data folder`,
    );
  }
}
