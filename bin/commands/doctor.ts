/** `highwater doctor`: ready or not, and what to do. */
import { Command } from 'commander';
import { loadConfigFile } from '../config-file.ts';
import { lookAtClock, lookAtConfig, lookAtDisk, lookAtHeaders, lookAtHouse } from '../doctor-checks.ts';
import { lookAtKeys, lookAtPorts, lookAtSecrets, lookAtWitnesses } from '../doctor-checks.ts';
import type { Finding } from '../doctor-checks.ts';
import { exitCode } from '../exit.ts';
import { configFile, dataDir } from '../options.ts';
import { columns, plain, printJson } from '../print.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('clock, ports, disk, keys, config, secrets, mail and Discord: ready or not, and what to do')
    .option(
      '--config <FILE>',
      'the configuration (HIGHWATER_CONFIG; default config/highwater.yaml of the program)',
    )
    .option('--data <DIR>', "the data folder (HIGHWATER_DATA; default data in the program's folder)")
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Changes nothing and sends nothing but one request to the first http control, to compare clocks.
Ends with 0 when nothing is missing, 1 otherwise; advice does not count.

Example:
  highwater doctor --config my.yaml`,
    )
    .action((options: { config?: string; data?: string; json?: boolean }) => doctor(options));
}

async function doctor(options: { config?: string; data?: string; json?: boolean }): Promise<void> {
  const findings = await lookAround(configFile(options.config), dataDir(options.data));
  const isReady = findings.every(({ state }) => state !== 'missing');
  if (options.json) printJson({ ready: isReady, findings });
  else process.stdout.write(findingsText(findings, isReady));
  if (!isReady) process.exitCode = exitCode.no;
}

async function lookAround(file: string, data: string): Promise<Finding[]> {
  const loaded = loadConfigFile(file);
  const config = 'config' in loaded ? loaded.config : undefined;
  const secrets = 'config' in loaded ? loaded.secrets : [];
  return [
    ...lookAtConfig(loaded, file),
    ...(config ? lookAtHouse(config, file, data) : []),
    ...lookAtSecrets(secrets, process.env),
    ...(config ? lookAtHeaders(config, data, process.env) : []),
    ...(config ? lookAtKeys(config, data) : []),
    ...(config ? lookAtWitnesses(config) : []),
    ...lookAtDisk(data),
    ...(await lookAtPorts(data)),
    ...(await lookAtClock(config?.controls ?? [])),
  ];
}

function findingsText(findings: readonly Finding[], isReady: boolean): string {
  const rows = findings.flatMap(({ about, state, says, remedy }) => [
    [state, about, plain(says)],
    ...(remedy === undefined ? [] : [['', '', `-> ${plain(remedy)}`]]),
  ]);
  const missing = findings.filter(({ state }) => state === 'missing').length;
  return `${columns(rows)}\n${isReady ? 'ready' : `not ready: ${missing} missing`}\n`;
}
