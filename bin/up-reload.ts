/** What `up` does when its configuration changes: the collector applies it, then the other roles follow what it says. */
import { formatProblem } from '@highwater/config/load.ts';
import { configApplied } from '@highwater/config/wire.ts';
import { appliedText } from './applied-text.ts';
import { loadConfigFile } from './config-file.ts';
import { localProbe, probesWithKeysIn } from './local-probe.ts';
import { otherHistory } from './operator-key.ts';
import type { RoleSpec, Supervisor } from './supervisor.ts';

export interface Reload {
  /** SIGHUP: the file is judged, and handed to the collector when it is good. */
  asked(): void;
  /** A role told something: the collector, that it has applied a configuration. */
  heard(role: string, message: unknown): void;
}

export interface ReloadOptions {
  readonly file: string;
  readonly data: string;
  readonly supervisor: Pick<Supervisor, 'start' | 'end' | 'signal' | 'roles'>;
  readonly probe: (id: string, isOther: boolean) => RoleSpec;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const nameOf = (id: string): string => `probe ${id}`;

export function followConfig({ file, data, supervisor, probe }: ReloadOptions): Reload {
  let last: Promise<void> = Promise.resolve();

  /** Probes that are declared and have their key here run, others end. */
  const followProbes = async (): Promise<void> => {
    const loaded = loadConfigFile(file);
    if ('problems' in loaded) return;
    const wanted = probesWithKeysIn(localProbe(loaded.config, data) ?? loaded.config, data);
    const running = supervisor.roles.filter((name) => name.startsWith(nameOf('')));
    const ended = running.filter((name) => !wanted.includes(name.slice(nameOf('').length)));
    await Promise.all(ended.map((name) => supervisor.end(name)));
    let count = running.length - ended.length;
    for (const id of wanted.filter((each) => !running.includes(nameOf(each)))) {
      try {
        await supervisor.start(probe(id, count > 0));
        count += 1;
      } catch (error) {
        say(`highwater: ${reasonOf(error)}`);
        await supervisor.end(nameOf(id));
      }
    }
  };

  return {
    asked() {
      try {
        const loaded = loadConfigFile(file);
        const problems =
          'problems' in loaded
            ? loaded.problems.map(formatProblem)
            : [otherHistory(loaded.config, data)].flatMap((other) =>
                other === undefined ? [] : [`highwater: ${other.says}; ${other.remedy}`],
              );
        if (problems.length > 0) {
          return say([...problems, 'highwater: the configuration that runs stays'].join('\n'));
        }
        supervisor.signal('collector', 'SIGHUP');
      } catch (error) {
        say(`${reasonOf(error)}\nhighwater: the configuration that runs stays`);
      }
    },
    heard(role, message) {
      if (role !== 'collector' || typeof message !== 'object' || message === null) return;
      if (!('applied' in message)) return;
      const answer = configApplied.safeParse('answer' in message ? message.answer : undefined);
      if (answer.success) say(`highwater: configuration ${appliedText(answer.data).trimEnd()}`);
      if (message.applied !== 'applied') return;
      // They read the file themselves, and begin anew where their part of it has changed.
      for (const name of ['alerts', 'site']) supervisor.signal(name, 'SIGHUP');
      last = last.then(followProbes).catch((error: unknown) => say(`highwater: ${reasonOf(error)}`));
    },
  };
}
