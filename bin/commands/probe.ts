/** `highwater probe`: the agent in a region; `keygen` and `enroll` bring one into being. */
import { join } from 'node:path';
import { Command } from 'commander';
import { generateSigningKey, parseVerifier, saveSigningKey } from '@highwater/config/keys.ts';
import { Exit, exitCode } from '../exit.ts';
import { bindAddress, callersFile, collectorUrl, dataDir, portOf } from '../options.ts';
import { runRole } from '../role.ts';

interface ProbeFlags {
  readonly id?: string;
  readonly data?: string;
  readonly collector?: string;
  readonly trust?: string;
  readonly allowPrivate?: readonly string[];
  readonly port?: string;
  readonly bind?: string;
  readonly insecure?: boolean;
  readonly record?: string;
}

export function probeCommand(): Command {
  const command = new Command('probe')
    .description('the agent in a region: asks what the collector assigns, and ships what it saw')
    .enablePositionalOptions()
    .option('--id <ID>', 'its name, given at keygen (HIGHWATER_PROBE_ID)')
    .option(
      '--data <DIR>',
      "where its key and spool are (HIGHWATER_DATA; default data in the program's folder)",
    )
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--trust <VKEY>', "the operator's verifier key; the first one seen when left out, printed")
    .option(
      '--allow-private <CIDR...>',
      'private addresses it may reach where a node allows them too; "config": whatever nodes allow',
    )
    .option('--port <PORT>', 'health and metrics (HIGHWATER_PROBE_PORT; default 4200; 0 is any free one)')
    .option('--bind <ADDRESS>', 'where they listen (default 127.0.0.1)')
    .option('--insecure', 'lets it use plain http to a collector on another machine')
    .option('--record <FILE>', 'also writes each line to this file: for tests and audits')
    .addHelpText(
      'after',
      `
A new probe, step by step:
  there:  highwater probe keygen --id eu-1              prints its verifier key
  here:   highwater probe enroll VKEY --region eu       prints the lines for the config
  there:  highwater probe --id eu-1 --collector https://collector.example.com`,
    )
    .action((options: ProbeFlags) => run(options));
  command.addCommand(keygenCommand());
  command.addCommand(enrollCommand());
  return command;
}

async function run(options: ProbeFlags): Promise<void> {
  const id = options.id ?? process.env['HIGHWATER_PROBE_ID'];
  if (id === undefined || id === '') {
    throw new Exit(
      exitCode.usage,
      'highwater probe: which one? write --id ID (made by highwater probe keygen --id ID)',
    );
  }
  const { startProbe } = await import('../../probe/src/main.ts');
  await runRole('probe', (log, signal) =>
    startProbe(
      {
        id,
        dataDir: dataDir(options.data),
        collectorUrl: collectorUrl(options.collector, options.insecure),
        host: bindAddress(options.bind),
        port: portOf('probe', options.port),
        allowPrivate: options.allowPrivate ?? [],
        log,
        ...(options.insecure ? { insecure: true } : {}),
        ...(options.trust === undefined ? {} : { trust: options.trust }),
        ...(options.record === undefined ? {} : { recordFile: callersFile(options.record) }),
      },
      signal,
    ),
  );
}

function keygenCommand(): Command {
  return new Command('keygen')
    .description("makes a probe's key; prints its verifier key on the last line of standard output")
    .requiredOption('--id <ID>', 'the name of the probe, such as eu-1')
    .option(
      '--data <DIR>',
      "where the key goes: DIR/keys/ID.key (HIGHWATER_DATA; default data in the program's folder)",
    )
    .addHelpText(
      'after',
      `
The private key never leaves this machine. An existing key is never overwritten.

Example:
  highwater probe keygen --id eu-1 --data /var/lib/highwater`,
    )
    .action(({ id, data }: { id: string; data?: string }) => keygen(id, data));
}

function keygen(id: string, data: string | undefined): void {
  checkProbeId(id);
  const file = join(dataDir(data), 'keys', `${id}.key`);
  const key = generateSigningKey(id);
  saveSigningKey(file, key);
  process.stdout.write(
    `wrote ${file}: the private key, readable by you alone; it stays on this machine\n` +
      `next, where the config is: highwater probe enroll KEY --region REGION, with this verifier key as KEY:\n` +
      `${key.vkey}\n`,
  );
}

function checkProbeId(id: string): void {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/.test(id) && id !== 'operator') return;
  throw new Exit(
    exitCode.usage,
    'highwater probe keygen: --id: not an id, write 1 to 63 of a-z 0-9 . _ - beginning with a letter or digit, such as eu-1 (operator is taken)',
  );
}

function enrollCommand(): Command {
  return new Command('enroll')
    .description('prints the lines that add a probe to the config')
    .argument('<VKEY>', 'the last line that keygen printed')
    .requiredOption('--region <REGION>', 'the region that it looks from')
    .option('--operator <NAME>', 'who runs it; the top-level operator when left out')
    .addHelpText('after', '\nExample:\n  highwater probe enroll eu-1+1234abcd+AX… --region eu')
    .action((vkey: string, options: { region: string; operator?: string }) => enroll(vkey, options));
}

function enroll(vkey: string, { region, operator }: { region: string; operator?: string }): void {
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(region)) {
    throw new Exit(exitCode.usage, 'highwater probe enroll: --region: not an id, write one such as eu');
  }
  const { name } = verifierOf(vkey.trim());
  const by = operator === undefined ? '' : `, operator: ${JSON.stringify(operator)}`;
  process.stdout.write(
    `# add this entry under "probes:" (and "${region}" under "regions:" where it is new), then: highwater config apply\n` +
      `probes:\n  - { id: ${name}, region: ${region}, key: "${vkey.trim()}"${by} }\n`,
  );
}

function verifierOf(vkey: string): { name: string } {
  try {
    return parseVerifier(vkey);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Exit(exitCode.usage, `highwater probe enroll: ${message}`, { cause });
  }
}
