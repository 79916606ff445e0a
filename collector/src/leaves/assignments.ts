/** What each probe is to do: signed by the operator's key, numbered, never taken back. */
import { createHash } from 'node:crypto';
import type { SigningKey } from '@highwater/config/keys.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { Config, Monitor, ProbeDecl } from '@highwater/config/model.ts';
import { encodeHex } from '@highwater/config/proof/bytes.ts';
import { bodyHashOf, formatAssignmentText } from '@highwater/config/proof/assignment.ts';
import type { AssignedMonitor, Assignment, AssignmentBody } from '@highwater/config/wire.ts';
import { readSalts, type SaltOf } from '../ingest/salts.ts';
import { mutex } from '../mutex.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

/** `assignment` in the log's shard, by probe. */
export interface AssignmentState extends Assignment {
  readonly number: number;
  /** Hash of everything but the number. */
  readonly tasks: string;
}

function assigned(monitor: Monitor): AssignedMonitor {
  return {
    id: monitor.id,
    kind: monitor.kind,
    intervalMs: monitor.intervalMs,
    timeoutMs: monitor.timeoutMs,
    recheckAfterMs: monitor.confirm.recheckAfterMs,
    fall: monitor.confirm.fall,
    ...(monitor.refusals === undefined ? {} : { refusals: monitor.refusals }),
    settings: monitor.settings,
    target: {
      url: monitor.target.url,
      headers: { ...monitor.target.headers },
      allowPrivate: monitor.target.allowPrivate,
      ...(monitor.target.address === undefined ? {} : { address: monitor.target.address }),
      ...(monitor.target.address6 === undefined ? {} : { address6: monitor.target.address6 }),
      ...(monitor.target.family === undefined ? {} : { family: monitor.target.family }),
    },
    ...(monitor.chain === undefined ? {} : { chain: monitor.chain }),
  };
}

/** Salts of the private services among those that are asked. */
function saltsFor(config: Config, monitors: readonly Monitor[], saltOf: SaltOf): Record<string, string> {
  const asked = new Set(monitors.map(({ service }) => service));
  const secret = config.services.filter(({ id, visibility }) => visibility === 'private' && asked.has(id));
  return Object.fromEntries(
    secret.flatMap(({ id }) => {
      const salt = saltOf(id);
      return salt === undefined ? [] : [[id, encodeHex(salt)]];
    }),
  );
}

/** The body of a probe's assignment: the monitors of its region, and what they need. */
export function assignmentFor(
  config: Config,
  probe: ProbeDecl,
  configHash: string,
  seed: string,
  logKeys: readonly string[],
  saltOf: SaltOf,
  number: number,
): AssignmentBody {
  const monitors = config.monitors.filter((monitor) => monitor.regions.includes(probe.region));
  const salts = saltsFor(config, monitors, saltOf);
  const chains = new Set(monitors.map((monitor) => monitor.chain));
  return {
    probe: probe.id,
    region: probe.region,
    number,
    config: configHash,
    seed,
    logKeys: [...logKeys],
    ...(config.spool && { spool: { ...config.spool } }),
    // Left out where there is none, so that nothing changes for those.
    ...(Object.keys(salts).length > 0 && { salts }),
    controls: [...config.controls],
    chains: Object.values(config.chains)
      .filter((chain) => chains.has(chain.name))
      .map((chain) => ({
        name: chain.name,
        family: chain.family,
        ...(chain.chainId === undefined ? {} : { chainId: chain.chainId }),
        ...(chain.genesis === undefined ? {} : { genesis: chain.genesis }),
        blockTimeMs: chain.blockTimeMs,
        maxLagBlocks: chain.maxLagBlocks,
        maxAgeMs: chain.maxAgeMs,
        ...(chain.maxFinalityLagBlocks === undefined
          ? {}
          : { maxFinalityLagBlocks: chain.maxFinalityLagBlocks }),
        ...(chain.forkDepthBlocks === undefined ? {} : { forkDepthBlocks: chain.forkDepthBlocks }),
      })),
    monitors: monitors.map(assigned),
  };
}

/** Makes a new assignment for every probe whose tasks, or whose operator key, have changed since the last. */
export async function assignAll(
  store: Store,
  config: Config,
  key: SigningKey,
  configHash: string,
  seed: string,
  logKeys: readonly string[],
): Promise<void> {
  await store.transact(LOG_SHARD, async (tx) => {
    const saltOf = await readSalts(tx);
    const bodyFor = (probe: ProbeDecl, number: number): string =>
      JSON.stringify(assignmentFor(config, probe, configHash, seed, logKeys, saltOf, number));
    for (const probe of config.probes) {
      const row = await tx.getState('assignment', probe.id);
      const last = row?.value as AssignmentState | undefined;
      const unnumbered = bodyFor(probe, 0);
      const tasks = createHash('sha256').update(`${key.vkey}\n${probe.key}\n${unnumbered}`).digest('hex');
      if (last?.tasks === tasks) continue;
      const number = (last?.number ?? 0) + 1;
      const body = bodyFor(probe, number);
      const { origin } = config;
      const text = formatAssignmentText({
        origin,
        probe: probe.id,
        number,
        config: configHash,
        bodyHash: bodyHashOf(body, sha256),
      });
      const state: AssignmentState = { number, tasks, note: key.sign(text), body };
      await tx.putState('assignment', probe.id, row?.version ?? 0, state);
    }
  });
}

export interface Assignments {
  /** Makes those of a configuration that is declared, which holds from now on. */
  of(config: Config, configHash: string): Promise<void>;
  /** Makes those of the configuration that holds anew: keys of the log have changed. */
  again(): Promise<void>;
}

/** One after the other, so that none is made of a configuration that holds no more. */
export function openAssignments(
  store: Store,
  key: SigningKey,
  seed: string,
  logKeys: () => readonly string[],
): Assignments {
  const alone = mutex();
  let holding: { readonly config: Config; readonly configHash: string } | undefined;
  const make = async (): Promise<void> => {
    if (holding === undefined) return;
    await assignAll(store, holding.config, key, holding.configHash, seed, logKeys());
  };
  return {
    of: (config, configHash) =>
      alone(async () => {
        holding = { config, configHash };
        await make();
      }),
    again: () => alone(make),
  };
}

/** The assignment of a probe when it is newer than number `after`. */
export async function assignmentAfter(
  store: Store,
  probe: string,
  after: number,
): Promise<Assignment | undefined> {
  const row = await store.read(LOG_SHARD, (tx) => tx.getState('assignment', probe));
  const state = row?.value as AssignmentState | undefined;
  return state !== undefined && state.number > after ? { note: state.note, body: state.body } : undefined;
}
