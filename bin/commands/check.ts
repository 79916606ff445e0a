/** `highwater check`: one check now, by the probe's own machinery, explained. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { builtInChains } from '@highwater/config/built-in-chains.ts';
import { isPrivateHost } from '@highwater/config/crosscheck-targets.ts';
import { faultId } from '@highwater/config/faults.ts';
import { loadConfig } from '@highwater/config/load.ts';
import type { Chain, Config, Monitor } from '@highwater/config/model.ts';
import { nearest } from '@highwater/config/problems.ts';
import { formatDuration } from '@highwater/config/time.ts';
import { cleanDetail } from '../../probe/src/fault.ts';
import type { Told } from '../../probe/src/once.ts';
import { readConfig } from '../config-file.ts';
import { Exit, exitCode } from '../exit.ts';
import { meaningHere } from '../fault-here.ts';
import { type Answer, observationText } from '../observation-text.ts';
import { configFile, dataDir } from '../options.ts';
import { plain, printJson } from '../print.ts';
import { repeatLine } from '../repeat-line.ts';
import { tables } from '../tables.ts';
import { typedHeaders } from '../typed-headers.ts';
import { placeRemedy, typedPlace } from '../typed-place.ts';

interface CheckFlags {
  readonly kind?: string;
  readonly chain?: string;
  readonly set?: string;
  readonly header: readonly string[];
  readonly timeout: string;
  readonly family?: string;
  readonly allowPrivate?: boolean;
  readonly config?: string;
  readonly data?: string;
  readonly json?: boolean;
}

export function checkCommand(): Command {
  return new Command('check')
    .description('one check now: where the time went, what came back, what it means')
    .argument(
      '<MONITOR|URL>',
      'service/node/check of the config, or with --kind a URL, HOST:PORT (tcp, tls) or a NAME (dns)',
    )
    .option('--kind <KIND>', `the kind of check, for a URL: ${Object.keys(tables.checks).join(', ')}`)
    .option('--chain <NAME>', 'the chain that the URL should serve, built in or of the config, for a URL')
    .option('--set <JSON>', "the kind's settings, for a URL")
    .option(
      '--header <NAME: VALUE>',
      'a header of each request, for a URL; a secret as env:VARIABLE or file:PATH; repeatable',
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .option('--timeout <DURATION>', 'the deadline, for a URL', '10s')
    .option('--family <4|6>', 'over IPv4 or IPv6 alone, for a URL')
    .option('--allow-private', 'a name may lead to a private address, for a URL')
    .option(
      '--config <FILE>',
      'the configuration (HIGHWATER_CONFIG; default config/highwater.yaml of the program)',
    )
    .option('--data <DIR>', "where secrets/ lies (HIGHWATER_DATA; default data in the program's folder)")
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Asks from this machine and stores nothing. Ends with 0 when the answer is up (degraded too), 1 when it is not.
A token is named where it is: the variable or file has the whole value of the header, such as 'Bearer …'. It is sent to
the URL's own origin and never shown.

--json gives one object; keys may be added, and those here stay. Times that end in Tenths are tenths of a millisecond.
  monitor, kind, dueAt (Unix ms), timeoutMs, lateMs, recheck
  outcome       ok, degraded, fail or skipped
  latencyTenths, phases (resolve, connect, tls, firstByte, transfer)
  address       connected to, where known
  facts         texts by the keys of a line
  fault         where there is one: id, detail, means, causes, look, source, when
  calls         each question: what, fromTenths (since the beginning), tenths, fault
  assertions    what was asked for: what, held, found
  repeat        the shell line; a secret in it is a variable or a file, never its value

Examples:
  highwater check ethereum/publicnode/head
  highwater check https://ethereum-rpc.publicnode.com --kind head --chain ethereum
  highwater check https://www.example.org --kind http
  highwater check tcp://mail.example.com:25 --kind tcp --set '{"expect":{"contains":"220 "}}'
  highwater check www.example.org:443 --kind tls
  highwater check www.example.org --kind dns --set '{"type":"AAAA"}'
  highwater check https://api.example.com --kind head --chain algorand --header 'X-Algo-API-Token: env:TOKEN'
  highwater check https://rpc.example.com --kind jsonrpc --set '{"methods":[{"method":"eth_blockNumber"}]}'`,
    )
    .action((subject: string, options: CheckFlags) => run(subject, options));
}

async function run(subject: string, options: CheckFlags): Promise<void> {
  const place = typedPlace(subject, options.kind, settingsOf(options));
  const url = place ?? (subject.includes('://') ? subject : undefined);
  const isTyped = url !== undefined;
  const { monitor, chain } = isTyped ? ofUrl(url, options) : ofConfig(subject, options);
  const typed = typedHeaders(options.header);
  const { tellOnce } = await import('../../probe/src/once.ts');
  const told = await tellOnce({
    monitor: monitor.id,
    kind: monitor.kind,
    settings: monitor.settings,
    target: { ...monitor.target, headers: { ...monitor.target.headers, ...typed.headers } },
    ...(options.header.length > 0 ? { secrets: typed.secrets } : {}),
    timeoutMs: monitor.timeoutMs,
    ...(monitor.refusals === undefined ? {} : { refusals: monitor.refusals }),
    // Whoever types the command consents to what the config, or the address typed, says.
    allowPrivate: ['config'],
    dataDir: dataDir(options.data),
    ...(chain ? { chain } : {}),
  });
  const headers = { ...byHand(monitor.target.headers, dataDir(options.data)), ...typed.headers };
  const asked = { chain, isTyped, monitor: { ...monitor, target: { ...monitor.target, headers } } };
  const repeat = repeatLine(tables.checks[monitor.kind], asked, told);
  const answer = { ...clean(told), repeat, at: Date.now() };
  if (options.json) printJson(factsOf(answer, monitor));
  else {
    const { columns, isTTY } = process.stdout;
    process.stdout.write(
      observationText(answer, asked, { columns: columns > 0 ? columns : 80, wraps: isTTY }),
    );
  }
  const { outcome } = told.observation;
  if (outcome !== 'ok' && outcome !== 'degraded') process.exitCode = exitCode.no;
}

/** A file that a node's header names lies under the secrets of the data folder: for a shell elsewhere by its whole path. */
function byHand(headers: Readonly<Record<string, string>>, dir: string): Record<string, string> {
  const inFull = (value: string): string =>
    value.startsWith('file:')
      ? `file:${resolve(dir, 'secrets', value.slice('file:'.length).replace(/^(?:\.\/)?(?:data\/)?secrets\//, ''))}`
      : value;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, inFull(value)]));
}

/** Without what could drive a terminal. */
function clean({ observation, assertions, calls, address }: Told): Told {
  return {
    address,
    observation,
    assertions: assertions.map((each) =>
      each.found === undefined ? each : { ...each, found: cleanDetail(each.found) },
    ),
    calls: calls.map((each) => ({ ...each, what: cleanDetail(each.what) })),
  };
}

interface Asked {
  readonly monitor: Monitor;
  readonly chain: Chain | undefined;
}

function ofConfig(id: string, options: CheckFlags): Asked {
  if (/:|^[^/]*\.[^/]*$/.test(id)) {
    throw new Exit(exitCode.usage, `highwater check: ${plain(id)}: ${placeRemedy}`);
  }
  if (options.header.length > 0) {
    throw new Exit(
      exitCode.usage,
      "highwater check: --header: for a URL; a monitor has its node's headers, write them there",
    );
  }
  const config = readConfig(configFile(options.config));
  const monitor = config.monitors.find((each) => each.id === id);
  if (monitor) return { monitor, chain: chainOf(monitor, config) };
  const ids = config.monitors.map((each) => each.id);
  const near = ids.find((each) => each === `${id}.v4`) ?? nearest(id, ids);
  const remedy = near === undefined ? `there are: ${ids.slice(0, 20).join(', ')}` : `did you mean ${near}?`;
  throw new Exit(exitCode.usage, `highwater check: ${plain(id)}: no such monitor, ${remedy}`);
}

function chainOf(monitor: Monitor, config: Config): Chain | undefined {
  return monitor.chain === undefined ? undefined : config.chains[monitor.chain];
}

/** A URL goes through the same reader as a config, so that the same mistakes have the same messages. */
function ofUrl(url: string, options: CheckFlags): Asked {
  if (options.kind === undefined) {
    const kinds = Object.keys(tables.checks).join(', ');
    throw new Exit(exitCode.usage, `highwater check: a URL needs --kind, write one of: ${kinds}`);
  }
  const own = ownChain(options);
  const text = JSON.stringify({
    ...(own && !Object.hasOwn(builtInChains, own.name)
      ? { chains: { [own.name]: { family: own.family, blockTime: formatDuration(own.blockTimeMs) } } }
      : {}),
    site: { name: 'check', url: 'http://localhost' },
    services: [
      {
        id: 'url',
        name: 'url',
        ...(options.chain === undefined ? {} : { chain: options.chain }),
        counts: 'none',
        nodes: [{ id: 'url', zone: 'url', url, allowPrivate: options.allowPrivate ?? isTypedPrivate(url) }],
        checks: [
          {
            kind: options.kind,
            every: '1h',
            timeout: options.timeout,
            ...familyOf(options),
            ...settingsOf(options),
          },
        ],
      },
    ],
  });
  const loaded = loadConfig(text, 'arguments', tables);
  if ('problems' in loaded) {
    const lines = loaded.problems.map(
      ({ path, value, message }) => `${flagOf(path, options)}: ${value}: ${remedyOf(message)}`,
    );
    throw new Exit(exitCode.usage, lines.map((line) => `highwater check: ${line}`).join('\n'));
  }
  const [monitor, another] = loaded.config.monitors;
  if (!monitor) throw new Error('no monitor came of a check of a URL');
  if (another)
    throw new Exit(
      exitCode.usage,
      'highwater check: --family: "apart": makes a check of each family, and one is asked here, write --family 4 or --family 6',
    );
  return { monitor, chain: own ?? chainOf(monitor, loaded.config) };
}

/** A chain that services of the config use: one that is not built in, or a built-in one as --config changes it. */
function ownChain({ chain, config }: CheckFlags): Chain | undefined {
  if (chain === undefined || (config === undefined && Object.hasOwn(builtInChains, chain))) return undefined;
  const { chains } = readConfig(configFile(config));
  return Object.hasOwn(chains, chain) ? chains[chain] : undefined;
}

/** The same remedy for somebody who writes flags. */
function remedyOf(message: string): string {
  return message
    .replace("write it under the node's headers", "add --header 'NAME: env:VARIABLE'")
    .replace('write chain: NAME on the service', 'add --chain NAME, such as --chain ethereum')
    .replace(
      'headers: { Authorization: env:HIGHWATER_SECRET_NAME }',
      "--header 'Authorization: env:VARIABLE'",
    );
}

/** Where the caller wrote what stands at a path of the config made for it. */
function flagOf(path: string, { family }: CheckFlags): string {
  const own = path.replace(/^services\[0\]\.(checks\[0\]\.)?/, '');
  if (own === 'nodes[0].url') return 'URL';
  const isFlag = ['kind', 'chain', 'timeout'].includes(own) || (own === 'family' && family !== undefined);
  return isFlag ? `--${own}` : `--set ${own}`;
}

function familyOf({ family }: CheckFlags): { family?: 4 | 6 } {
  if (family === undefined) return {};
  if (family !== '4' && family !== '6')
    throw new Exit(exitCode.usage, `highwater check: --family: ${plain(family)}: write 4 or 6`);
  return { family: family === '4' ? 4 : 6 };
}

/** An address that was typed as a private one is meant; a name that turns out to be private is a finding. */
function isTypedPrivate(url: string): boolean {
  return URL.canParse(url) && isPrivateHost(new URL(url).hostname);
}

function settingsOf(options: CheckFlags): Record<string, unknown> {
  if (options.set === undefined) return {};
  try {
    const settings = JSON.parse(options.set) as unknown;
    if (typeof settings === 'object' && settings !== null && !Array.isArray(settings)) {
      return settings as Record<string, unknown>;
    }
  } catch {
    // The message below says what to write.
  }
  throw new Exit(
    exitCode.usage,
    'highwater check: --set: not a JSON object, write one such as \'{"path":"/health"}\'',
  );
}

/** As the help says; keys are added, never changed. */
function factsOf({ observation, address, calls, assertions, repeat }: Answer, monitor: Monitor): unknown {
  const { fault } = observation;
  const explained = meaningHere(observation);
  return {
    ...observation,
    ...(fault ? { fault: { id: faultId(fault), detail: fault.detail, ...explained } } : {}),
    kind: monitor.kind,
    timeoutMs: monitor.timeoutMs,
    ...(monitor.refusals === undefined ? {} : { refusals: monitor.refusals }),
    address,
    calls: calls.map(({ what, fromTenths, tenths, fault: found }) => ({
      what,
      fromTenths,
      tenths,
      fault: found,
    })),
    assertions,
    repeat,
  };
}
