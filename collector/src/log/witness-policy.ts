/** /log/policy: which logs and witnesses a reader is to know, and how many must have cosigned (C2SP tlog-policy). */
import type { Config } from '@highwater/config/model.ts';
import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import { NO_QUORUM, formatPolicy } from '@highwater/config/proof/policy.ts';

/** Ids are lower case, so no witness has this name. */
const GROUP = 'WITNESSES';

/**
 * @param logKeys verifier keys of the logs, one a year, oldest first
 * @returns the file; one `quorum` line always, `none` without witnesses
 */
export function policyText(config: Pick<Config, 'witnesses'>, logKeys: readonly string[]): string {
  const { list, quorum } = config.witnesses ?? { list: [], quorum: 0 };
  const comment = list.length === 0 ? `# ${noWitnesses}\n` : '';
  return (
    comment +
    formatPolicy({
      logs: logKeys.map((vkey) => ({ vkey })),
      witnesses: list.map(({ id, key, url }) => ({ name: id, vkey: key, url })),
      groups:
        list.length === 0 ? [] : [{ name: GROUP, threshold: quorum, members: list.map(({ id }) => id) }],
      quorum: list.length === 0 ? NO_QUORUM : GROUP,
    })
  );
}
