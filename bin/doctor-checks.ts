/** What `doctor` looks at. Read-only: nothing is written, sent or changed. */
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { FaultError } from '@highwater/config/kinds.ts';
import { loadSigningKey } from '@highwater/config/keys.ts';
import type { Loaded } from '@highwater/config/load.ts';
import { formatProblem } from '@highwater/config/load.ts';
import type { Config, SecretUse } from '@highwater/config/model.ts';
import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import { isSecretRef, resolveSecret } from '@highwater/config/secrets.ts';
import { secretShelf } from '../probe/src/secrets.ts';
import { commandLine, nearPath, quoted } from './hint.ts';
import { otherHistory } from './operator-key.ts';
import { portOf } from './options.ts';

/** One thing looked at. `advice` does not stop anything from working; `missing` does. */
export interface Finding {
  readonly about: string;
  readonly state: 'ready' | 'advice' | 'missing';
  readonly says: string;
  /** What to do; absent when ready. */
  readonly remedy?: string;
}

const ready = (about: string, says: string): Finding => ({ about, state: 'ready', says });
const advice = (about: string, says: string, remedy: string): Finding => ({
  about,
  state: 'advice',
  says,
  remedy,
});
const missing = (about: string, says: string, remedy: string): Finding => ({
  about,
  state: 'missing',
  says,
  remedy,
});

/** The config itself. */
export function lookAtConfig(loaded: Loaded, file: string): Finding[] {
  if ('config' in loaded) {
    const { services, monitors } = loaded.config;
    return [ready('config', `${nearPath(file)}: ${services.length} services, ${monitors.length} checks`)];
  }
  const [first] = loaded.problems;
  const says = `${nearPath(file)} has ${loaded.problems.length} mistakes, the first: ${first ? formatProblem(first) : ''}`;
  return [missing('config', says, `run ${commandLine(`config check ${quoted(nearPath(file))}`)}`)];
}

/** Regions, probes and who is told. */
export function lookAtHouse(config: Config, file: string, dataDir: string): Finding[] {
  return [...lookAtProbes(config, dataDir), ...lookAtAlerts(config, file)];
}

function lookAtProbes(config: Config, dataDir: string): Finding[] {
  const watched = new Set(config.probes.map(({ region }) => region));
  const findings: Finding[] = [];
  if (config.probes.length > 0) {
    const here = config.probes.filter(({ id }) => existsSync(join(dataDir, 'keys', `${id}.key`)));
    findings.push(
      ready('probes', `${config.probes.length} enrolled, ${here.length} with their key on this machine`),
    );
  }
  const silent = config.regions.filter(({ id }) => config.probes.length > 0 && !watched.has(id));
  for (const { id } of silent) {
    findings.push(
      advice(
        'probes',
        `region ${id} has no probe`,
        `run highwater probe keygen there and ${commandLine('probe enroll')} here`,
      ),
    );
  }
  const regions = Math.max(1, watched.size);
  if (regions < 3) {
    const remedy = 'enrol probes in three regions: then no single one can raise an outage or hide one';
    findings.push(advice('regions', `${regions} of the 3 that a majority needs`, remedy));
  }
  return findings;
}

function lookAtAlerts({ alerts }: Config, file: string): Finding[] {
  if (alerts.channels.length === 0) {
    return [advice('alerts', 'no channel: nobody is told', 'add one under alerts.channels, and a policy')];
  }
  const told = new Set(alerts.policies.flatMap(({ steps }) => steps.flatMap(({ notify }) => notify)));
  const idle = alerts.channels.filter(({ id }) => !told.has(id));
  return [
    ...alerts.channels
      .filter(({ id }) => told.has(id))
      .map(({ id, kind }) =>
        ready(
          'alerts',
          `${kind} channel ${id}; ${commandLine(`alerts test ${id}`, { config: file })} sends a message`,
        ),
      ),
    ...idle.map(({ id }) =>
      advice('alerts', `channel ${id} is in no policy`, 'name it in a step of alerts.policies'),
    ),
  ];
}

/** Whether the secrets of channels can be fetched here. */
export function lookAtSecrets(uses: readonly SecretUse[], env: NodeJS.ProcessEnv): Finding[] {
  const ours = uses.filter(({ path }) => path.startsWith('alerts.'));
  return ours.map(({ path, ref }) => {
    try {
      resolveSecret(ref, env);
      return ready('secrets', `${path}: ${ref} is there`);
    } catch (error) {
      return missing('secrets', `${path}: ${ref} cannot be fetched`, messageOf(error));
    }
  });
}

/** Whether a probe here could send the secrets of headers; probes elsewhere have their own. */
export function lookAtHeaders(config: Config, dataDir: string, env: NodeJS.ProcessEnv): Finding[] {
  const shelf = secretShelf(join(dataDir, 'secrets'), env);
  const nodes = config.services.flatMap(({ id, nodes }) =>
    nodes.map((node) => ({ id: `${id}/${node.id}`, ...node.target })),
  );
  return nodes.flatMap(({ id, url, headers }) =>
    Object.entries(headers).flatMap(([name, ref]) => {
      if (!isSecretRef(ref)) return [];
      try {
        shelf.fetch(ref, new URL(url).hostname);
        return [ready('secrets', `${id}: header ${name}: ${ref} is there for a probe here`)];
      } catch (error) {
        const remedy = error instanceof FaultError ? (error.fault.detail ?? error.message) : messageOf(error);
        return [advice('secrets', `${id}: header ${name}: ${ref} is not there for a probe here`, remedy)];
      }
    }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Those that lie here: the operator's, of probes of this config, and of each year's log. */
function keysIn(config: Config, dataDir: string): string[] {
  const folder = join(dataDir, 'keys');
  const named = ['operator', ...config.probes.map(({ id }) => id)];
  const years = existsSync(folder) ? readdirSync(folder).filter((file) => /^log-\d{4}\.key$/.test(file)) : [];
  return [
    ...named.filter((name) => existsSync(join(folder, `${name}.key`))),
    ...years.sort().map((file) => file.slice(0, -'.key'.length)),
  ];
}

/** Who says that the log is the same for everybody. */
export function lookAtWitnesses({ witnesses }: Config): Finding[] {
  if (!witnesses)
    return [advice('log', noWitnesses, 'docs/witnesses.md says who can be one and how to add it')];
  const { list, quorum } = witnesses;
  const asked = list.map(({ id }) => id).join(', ');
  const says = `asked to cosign: ${asked}; readers ask for ${quorum} of ${list.length}`;
  return [ready('log', `${says}; ${commandLine('log status')} shows who did`)];
}

/** The keys that lie here can be read, are private, and are those of this config. */
export function lookAtKeys(config: Config, dataDir: string): Finding[] {
  const present = keysIn(config, dataDir);
  const findings = present.map((name): Finding => {
    try {
      loadSigningKey(join(dataDir, 'keys', `${name}.key`));
      const other = name === 'operator' ? otherHistory(config, dataDir) : undefined;
      if (other) return missing('keys', other.says, other.remedy);
      return ready('keys', `${name}.key`);
    } catch (error) {
      return missing('keys', `${name}.key cannot be used`, messageOf(error));
    }
  });
  if (present.includes('operator')) return findings;
  return [...findings, ready('keys', 'no operator key yet: the first start makes it')];
}

const enoughBytes = 1024 ** 3;

/** Room and rights in the data folder, or where it will be made. */
export function lookAtDisk(dataDir: string): Finding[] {
  let folder = dataDir;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    return [
      missing(
        'disk',
        `${folder} is not writable for this user`,
        'give it to this user, or name another with --data',
      ),
    ];
  }
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const says = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${folder}`;
  return [free >= enoughBytes ? ready('disk', says) : missing('disk', says, 'make room: at least 1 GiB')];
}

/** Ports that the roles will listen on; taken ones are fine while `up` itself runs here. */
export async function lookAtPorts(dataDir: string): Promise<Finding[]> {
  const running = isUpRunning(dataDir);
  const roles = ['site', 'collector', 'alerts', 'probe'] as const;
  return Promise.all(
    roles.map(async (role) => {
      const port = portOf(role);
      if (port === 0 || (await isFree(port))) return ready('ports', `${role} ${port}: free`);
      if (running) return ready('ports', `${role} ${port}: in use; highwater up is running`);
      const remedy = `end what listens there, or set HIGHWATER_${role.toUpperCase()}_PORT`;
      return missing('ports', `${role} ${port}: in use by another program`, remedy);
    }),
  );
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

function isUpRunning(dataDir: string): boolean {
  try {
    const pid = Number.parseInt(readFileSync(join(dataDir, 'up.pid'), 'utf8'), 10);
    if (!Number.isInteger(pid) || pid <= 0) return false;
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A header Date has whole seconds, and the answer took time: below this nothing can be said. */
const clockToleranceMs = 2_500;
const clockDeadlineMs = 5_000;

/** The wall clock against the Date of an http(s) control. Without one it cannot be compared. */
export async function lookAtClock(controls: readonly string[]): Promise<Finding[]> {
  const url = controls.find((control) => control.startsWith('http'));
  const say = 'keep it right with NTP: uptime is counted in UTC minutes';
  if (url === undefined) return [advice('clock', 'not compared: no http control is declared', say)];
  const host = new URL(url).host;
  try {
    const before = Date.now();
    const answer = await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(clockDeadlineMs),
    });
    const there = Date.parse(answer.headers.get('date') ?? '');
    const offMs = Math.round((before + Date.now()) / 2 - there);
    if (Number.isNaN(there)) return [advice('clock', `not compared: ${host} sends no Date`, say)];
    const says = `${Math.abs(offMs) <= clockToleranceMs ? 'agrees with' : `${(offMs / 1000).toFixed(1)} s from`} ${host}`;
    return [Math.abs(offMs) <= clockToleranceMs ? ready('clock', says) : missing('clock', says, say)];
  } catch {
    return [advice('clock', `not compared: ${host} was not reached`, say)];
  }
}
