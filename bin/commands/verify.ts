/** `highwater verify BUNDLE|URL`: counts a monthly report again from its evidence, and says what that proves. */
import { readFileSync } from 'node:fs';
import { parseAnchor } from '@highwater/config/bundle/anchors.ts';
import { checkBundle } from '@highwater/config/bundle/check-bundle.ts';
import type { EvidenceOptions, Problem } from '@highwater/config/bundle/check.ts';
import { BundleError } from '@highwater/config/bundle/files.ts';
import { parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { nodeChecker } from '@highwater/config/node-checker.ts';
import { MAX_POLICY_CHARS, parsePolicy } from '@highwater/config/proof/policy.ts';
import { verdictOf } from '@highwater/config/report/check-words.ts';
import { Command } from 'commander';
import { type BundleSource, openBundle } from '../bundle-source.ts';
import { Exit, verifyExitCode } from '../exit.ts';
import { commandLine, quoted } from '../hint.ts';
import { callersFile } from '../options.ts';
import { plain, printJson } from '../print.ts';
import { progressLine } from '../progress.ts';
import { timeLeft } from '../time-left.ts';
import { verifyText } from '../verify-text.ts';
import { serviceOf, watchingFor } from '../wanted-service.ts';

interface Flags {
  readonly policy?: string;
  readonly monitor?: string;
  readonly key?: string;
  readonly anchor?: readonly string[];
  readonly json?: boolean;
}

const MAX_ANCHOR_FILE_CHARS = 1_000_000;

export function verifyCommand(): Command {
  return new Command('verify')
    .description('counts a monthly report again from its evidence, and says what that proves and what not')
    .argument('<BUNDLE|URL>', "a bundle (.tar.gz, .tar, an unpacked folder), or a report's address")
    .option(
      '--monitor <ID>',
      'one service alone (or that of a node or monitor): fetches and counts only what it takes',
      once('--monitor'),
    )
    .option(
      '--key <VKEY>',
      "the operator's key as you know it, in place of the one that the bundle names",
      once('--key'),
    )
    .option(
      '--policy <FILE>',
      'the witnesses that you ask for (c2sp.org/tlog-policy), in place of those of the bundle',
      once('--policy'),
    )
    .option(
      '--anchor <LINE|FILE>',
      'a state of the log that you found elsewhere: ORIGIN/YEAR SIZE ROOT; may be repeated',
      (value: string, all: readonly string[] = []) => [...all, value],
    )
    .showHelpAfterError('highwater verify --help says what to give')
    .option('--json', 'as JSON: the verdict, each problem, what was counted')
    .addHelpText(
      'after',
      `
Nothing of the report is believed. Every observation is hashed into the log that was signed, every signature that
counts is verified, and all figures are counted again from the observations by rule/v1 and compared, every integer.
It needs no configuration, no collector and, for a bundle, no network. From an address the whole bundle is streamed
and not stored; with --monitor only the files that it takes are fetched.

It can't know whether the probes told the truth, nor who owns the keys in a bundle: the answer says whose word was
taken. Give --key, --policy and --anchor as you got them from elsewhere. An anchor is a line that the operator has
put where it can't be changed later, on a chain or in a proposal.

Ends with 0 when everything agrees, 1 when something does not (a changed byte, a wrong figure, another history),
2 when something that it takes is missing or too few witnesses have signed, 3 when what was given makes no sense.

Examples:
  highwater verify report-2026-10.tar.gz
  highwater verify report-2026-10.tar.gz --key 'status.example.com/log+5e2c…' --policy witnesses.policy
  highwater verify https://status.example.com/reports/2026-10
  highwater verify https://status.example.com/reports/2026-10 --monitor rpc
  highwater verify https://status.example.com --anchor 'status.example.com/log/2026 216000 kXq…='
  highwater verify report-2026-10.tar.gz --json | jq '.problems'`,
    )
    .action((where: string, flags: Flags) => run(where, flags));
}

/** The last of two would be taken in silence. */
function once(flag: string): (value: string, before: string | undefined) => string {
  return (value, before) => {
    if (before === undefined) return value;
    throw new Exit(
      verifyExitCode.usage,
      `highwater verify: ${flag} is given twice (${plain(before)}, ${plain(value)}); give one, and run it again for the other`,
    );
  };
}

async function run(where: string, flags: Flags): Promise<void> {
  const options = optionsOf(flags);
  const startedAt = performance.now();
  const codes = { usage: verifyExitCode.usage, missing: verifyExitCode.incomplete };
  const source = await openBundle(where, { isPart: flags.monitor !== undefined, codes });
  const progress = progressLine();
  try {
    const {
      evidence: found,
      problems,
      report,
    } = await check(source, flags.monitor, {
      ...options,
      progress: progressOf(progress.says),
    });
    progress.end();
    const evidence = { ...found, problems };
    const seconds = (performance.now() - startedAt) / 1_000;
    const verdict = verdictOf(evidence);
    const service = options.service;
    if (flags.json) {
      // Of what could not be read there is no month.
      const { range, ...rest } = evidence;
      printJson({
        verdict,
        ...(service === undefined ? {} : { service }),
        seconds: Math.round(seconds * 10) / 10,
        ...(range.origin === '' ? {} : { range }),
        ...rest,
      });
    } else {
      const claimed = report === undefined ? {} : { report };
      const told = { ...claimed, typed: quoted(where), program: commandLine('verify'), seconds };
      process.stdout.write(verifyText(evidence, service === undefined ? told : { ...told, service }));
    }
    process.exitCode = verifyExitCode[verdict];
  } finally {
    progress.end();
    await source.close();
  }
}

async function check(
  source: BundleSource,
  monitor: string | undefined,
  options: EvidenceOptions,
): ReturnType<typeof checkBundle> {
  const refuse = (says: string) =>
    new Exit(verifyExitCode.usage, `highwater verify: --monitor ${plain(says)}`);
  const files = monitor === undefined ? source.files : watchingFor(monitor, source.files, refuse);
  const checked = await checkBundle(files, nodeChecker(), options);
  if (monitor !== undefined || checked.problems.length > 0) return checked;
  // What nobody asked for may be there too, and a gzip is only whole at its end.
  const left = await leftOver(source);
  return { ...checked, problems: [...checked.problems, ...left] };
}

async function leftOver(source: BundleSource): Promise<Problem[]> {
  try {
    await source.finish();
    return [];
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return [{ kind: 'incomplete', file: error.file === '' ? 'archive' : error.file, says: error.message }];
  }
}

function progressOf(says: (text: string) => void): NonNullable<EvidenceOptions['progress']> {
  const left = new Map<string, ReturnType<typeof timeLeft>>();
  return ({ phase, done, all, of }) => {
    const leftOf = left.get(phase) ?? timeLeft(() => performance.now());
    left.set(phase, leftOf);
    const percent = all > 0 ? Math.floor((100 * Math.min(done, all)) / all) : 0;
    says(`${percent} %  ${phases[phase]}: ${plain(of)}${leftOf(done, all)}`);
  };
}

const phases = { log: 'the log', bodies: 'observations', report: 'the report' } as const;

function optionsOf({ policy, monitor, key, anchor = [] }: Flags): EvidenceOptions {
  const refuse = (says: string): Exit => new Exit(verifyExitCode.usage, `highwater verify: ${plain(says)}`);
  if (monitor !== undefined && !/^[a-z0-9._-]{1,64}(\/[a-z0-9._-]{1,64}){0,2}$/.test(monitor))
    throw refuse(`--monitor ${monitor}: write a service, service/node, or service/node/check`);
  if (key !== undefined) checkKey(key, refuse);
  const anchors = anchor.flatMap((typed) => anchorsOf(typed, refuse));
  const text = policy === undefined ? undefined : policyOf(policy, refuse);
  return {
    ...(monitor === undefined ? {} : { service: serviceOf(monitor) }),
    ...(key === undefined ? {} : { operatorKey: key }),
    ...(text === undefined ? {} : { policy: text }),
    ...(anchors.length === 0 ? {} : { anchors }),
  };
}

function checkKey(key: string, refuse: (says: string) => Exit): void {
  let name: string;
  try {
    name = parseVerifier(key).name;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refuse(`--key: not a verifier key (${why}), it looks like status.example.com/log+5e2c9a01+AbC…`);
  }
  const origin = /^(.+)\/[0-9]{4}$/.exec(name)?.[1];
  if (origin !== undefined)
    throw refuse(`--key: ${name} is the key of a log; the operator's is named ${origin}`);
}

function policyOf(file: string, refuse: (says: string) => Exit): string {
  const text = fileText(file, MAX_POLICY_CHARS);
  if (text === undefined) throw refuse(`--policy ${file}: cannot be read, or is too large`);
  const read = parsePolicy(text, sha256);
  if ('error' in read) throw refuse(`--policy ${file}: ${read.error}`);
  return text;
}

/** A line, or the lines of a file; empty ones and those that begin with # are passed over. */
function anchorsOf(typed: string, refuse: (says: string) => Exit): string[] {
  const text = typed.trim().includes(' ') ? typed : fileText(typed, MAX_ANCHOR_FILE_CHARS);
  if (text === undefined)
    throw refuse(`--anchor ${typed}: neither ORIGIN/YEAR SIZE ROOT nor a file that can be read`);
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  if (lines.length === 0) throw refuse(`--anchor ${typed}: there is no anchor in it`);
  return lines.map((line) => {
    const read = parseAnchor(line);
    if ('error' in read) throw refuse(`--anchor ${line}: ${read.error}`);
    return read.text;
  });
}

function fileText(file: string, maxChars: number): string | undefined {
  try {
    const text = readFileSync(callersFile(file), 'utf8');
    return text.length > maxChars ? undefined : text;
  } catch {
    return undefined;
  }
}
