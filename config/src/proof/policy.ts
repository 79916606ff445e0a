/**
 * A trust policy (c2sp.org/tlog-policy): which logs are known, which witnesses, and how many of them have to have
 * cosigned a checkpoint. Reading is strict where the format is; white space and comments are free, as it says.
 */
import { type Hash, encodeHex, parseDecimal } from './bytes.ts';
import { COSIGNATURE } from './cosignature.ts';
import { ED25519, parseVerifierKey } from './note.ts';

/** A longer policy is refused unread; the format asks for room for 32 logs, witnesses and groups. */
export const MAX_POLICY_CHARS = 262_144;
/** The quorum that asks for nobody. */
export const NO_QUORUM = 'none';

export interface PolicyLog {
  /** Its name is the log's origin. */
  readonly vkey: string;
  readonly url?: string;
}

export interface PolicyWitness {
  /** What this file calls it. */
  readonly name: string;
  /** Of signature type 04. */
  readonly vkey: string;
  readonly url?: string;
}

export interface PolicyGroup {
  readonly name: string;
  /** How many members have to have witnessed: 1 to all. */
  readonly threshold: number;
  /** Names of witnesses and of groups before this one. */
  readonly members: readonly string[];
}

export interface Policy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  readonly groups: readonly PolicyGroup[];
  /** Name of a witness or a group, or `none`. */
  readonly quorum: string;
}

/** One line a fact: logs, witnesses, groups, the quorum. */
export function formatPolicy(policy: Policy): string {
  const words = [
    ...policy.logs.map(({ vkey, url }) => ['log', vkey, url]),
    ...policy.witnesses.map(({ name, vkey, url }) => ['witness', name, vkey, url]),
    ...policy.groups.map(({ name, threshold, members }) => ['group', name, `${threshold}`, ...members]),
    ['quorum', policy.quorum],
  ];
  return words.map((line) => `${line.filter((word) => word !== undefined).join(' ')}\n`).join('');
}

/** Whether the quorum has witnessed; `verified` are the policy's names of witnesses whose cosignature was verified. */
export function policyMet(policy: Policy, verified: Iterable<string>): boolean {
  const known = new Set(policy.witnesses.map(({ name }) => name));
  const witnessed = new Set([...verified].filter((name) => known.has(name)));
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name);
  }
  return policy.quorum === NO_QUORUM || witnessed.has(policy.quorum);
}

/** Reads a policy; the error says in which line. Never throws. */
export function parsePolicy(text: string, hash: Hash): Policy | { error: string } {
  if (text.length > MAX_POLICY_CHARS) return { error: `the policy has over ${MAX_POLICY_CHARS} characters` };
  if (text !== '' && !text.endsWith('\n')) return { error: 'the last line does not end in a line feed' };
  const reader = new PolicyReader(hash);
  for (const [i, line] of text.split('\n').entries()) {
    const error = reader.read(line);
    if (error !== undefined) return { error: `line ${i + 1}: ${error}` };
  }
  return reader.policy();
}

class PolicyReader {
  readonly #hash: Hash;
  readonly #logs: PolicyLog[] = [];
  readonly #witnesses: PolicyWitness[] = [];
  readonly #groups: PolicyGroup[] = [];
  /** Public keys of logs and of witnesses, each behind the word of its line. */
  readonly #keys = new Set<string>();
  /** Of witnesses and groups: one namespace. */
  readonly #names = new Set<string>();
  readonly #members = new Set<string>();
  #quorum: string | undefined;

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  policy(): Policy | { error: string } {
    if (this.#quorum === undefined) return { error: 'there is no quorum line' };
    return { logs: this.#logs, witnesses: this.#witnesses, groups: this.#groups, quorum: this.#quorum };
  }

  /** What is wrong with the line, if anything. */
  read(line: string): string | undefined {
    // eslint-disable-next-line no-control-regex -- control characters are what the format forbids
    if (!line.isWellFormed() || /[\u0000-\u0008\u000b-\u001f\u007f]/.test(line))
      return 'a control character, or not well-formed text';
    // Spaces and tabs alone: other white space of Unicode is part of a name.
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    const [kind = '#', ...fields] = words;
    if (kind.startsWith('#')) return undefined;
    if (kind === 'log') return this.#log(fields);
    if (kind === 'witness') return this.#witness(fields);
    if (kind === 'group') return this.#group(fields);
    if (kind === 'quorum') return this.#setQuorum(fields);
    return 'not a line of log, witness, group or quorum';
  }

  #log([vkey, url, ...more]: string[]): string | undefined {
    if (vkey === undefined || more.length > 0) return 'not: log VKEY [URL]';
    const error = this.#key('log', vkey, ED25519);
    if (error === undefined) this.#logs.push({ vkey, ...(url === undefined ? {} : { url }) });
    return error;
  }

  #witness([name, vkey, url, ...more]: string[]): string | undefined {
    if (name === undefined || vkey === undefined || more.length > 0) return 'not: witness NAME VKEY [URL]';
    const error = this.#name(name) ?? this.#key('witness', vkey, COSIGNATURE);
    if (error === undefined) this.#witnesses.push({ name, vkey, ...(url === undefined ? {} : { url }) });
    return error;
  }

  #group([name, count, ...members]: string[]): string | undefined {
    if (name === undefined || count === undefined || members.length === 0)
      return 'not: group NAME all|any|NUMBER NAME…';
    for (const member of members) {
      if (!this.#names.has(member)) return `${member} is not defined before this line`;
      if (this.#members.has(member)) return `${member} is a member of a group already`;
      this.#members.add(member);
    }
    const threshold =
      count === 'all' ? members.length : count === 'any' ? 1 : parseDecimal(count, members.length);
    if (threshold === undefined || threshold < 1)
      return `the number is not 1 to ${members.length}, the number of members`;
    const error = this.#name(name);
    if (error === undefined) this.#groups.push({ name, threshold, members });
    return error;
  }

  #setQuorum([name, ...more]: string[]): string | undefined {
    if (name === undefined || more.length > 0) return 'not: quorum NAME';
    if (this.#quorum !== undefined) return 'a second quorum line';
    if (name !== NO_QUORUM && !this.#names.has(name)) return `${name} is not defined before this line`;
    this.#quorum = name;
    return undefined;
  }

  #name(name: string): string | undefined {
    if (name === NO_QUORUM) return `${NO_QUORUM} has a meaning of its own and is no name`;
    if (this.#names.has(name)) return `${name} is defined already`;
    this.#names.add(name);
    return undefined;
  }

  #key(word: 'log' | 'witness', vkey: string, type: number): string | undefined {
    const key = parseVerifierKey(vkey, this.#hash, type);
    if ('error' in key) return key.error;
    const id = `${word} ${encodeHex(key.publicKey)}`;
    if (this.#keys.has(id)) return `this ${word} key is in the policy already, maybe by another name`;
    this.#keys.add(id);
    return undefined;
  }
}
