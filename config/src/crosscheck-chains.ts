/** Chains of the operator's own, and names of chains. */
import { builtInChains } from './built-in-chains.ts';
import { families, identityForms, referenceHost } from './chains.ts';
import { checkKnown } from './crosscheck-common.ts';
import { checkTarget } from './crosscheck-targets.ts';
import type { Declared } from './declared.ts';
import { wrong } from './decode.ts';
import type { Finding, Path } from './problems.ts';

export function checkChains(declared: Declared, findings: Finding[]): void {
  for (const [name, { path, value }] of declared.chains) {
    if (!/^[a-z0-9][a-z0-9._-]{0,57}$/.test(name)) {
      findings.push({
        path,
        on: 'key',
        value: '(a map)',
        message: 'not a chain name, write 1 to 58 of a-z 0-9 . _ - beginning with a letter or digit',
      });
    }
    if (!value) continue;
    const builtIn = Object.hasOwn(builtInChains, name);
    checkFamily([...path, 'family'], value.family, builtIn, findings);
    if (!builtIn && value.blockTime === undefined) {
      findings.push(
        wrong(
          [...path, 'blockTime'],
          undefined,
          'required for a chain that is not built in, write for example 12s',
        ),
      );
    }
    checkIdentity(path, value, value.family ?? builtInChains[name]?.family, findings);
    checkReferences(path, value.references, findings);
  }
}

/** Each family tells its chains apart in its own notation: another one could never fit. */
function checkIdentity(
  path: Path,
  { chainId, genesis }: { readonly chainId?: unknown; readonly genesis?: string | undefined },
  family: string | undefined,
  findings: Finding[],
): void {
  if (family === undefined || !Object.hasOwn(identityForms, family)) return;
  const form = identityForms[family];
  if (chainId !== undefined && typeof chainId !== form?.chainId) {
    const remedy =
      form?.chainId === undefined
        ? `not compared in family ${family}, leave it out`
        : `not a chain id of family ${family}, write a ${form.chainId === 'number' ? 'number such as 1' : 'name such as cosmoshub-4'}`;
    findings.push(wrong([...path, 'chainId'], chainId, remedy));
  }
  if (genesis !== undefined && !form?.genesis?.pattern.test(genesis)) {
    const remedy = form?.genesis
      ? `not what family ${family} tells its chains by, write ${form.genesis.write}`
      : `not compared in family ${family}, write chainId`;
    findings.push(wrong([...path, 'genesis'], genesis, remedy));
  }
}

function checkReferences(
  path: Path,
  references: readonly { readonly url: string; readonly allowPrivate: boolean }[],
  findings: Finding[],
): void {
  const hosts = references.map(({ url }) => referenceHost(url));
  for (const [index, reference] of references.entries()) {
    const at = [...path, 'references', index];
    const host = hosts[index] ?? '';
    checkTarget(reference, at, findings);
    if (hosts.indexOf(host) < index) {
      findings.push(wrong([...at, 'url'], reference.url, 'a second reference at this host, keep one'));
    }
    if (host.length > 64) {
      findings.push(
        wrong([...at, 'url'], reference.url, 'the host is over 64 characters, use a shorter name for it'),
      );
    }
  }
}

function checkFamily(path: Path, family: string | undefined, builtIn: boolean, findings: Finding[]): void {
  if (family === undefined) {
    if (!builtIn)
      findings.push(
        wrong(path, undefined, `required for a chain that is not built in, write ${families.join(' or ')}`),
      );
  } else {
    checkKnown(path, family, 'family', families, findings);
  }
}

export function checkChainName(
  path: Path,
  name: string | undefined,
  declared: Declared,
  findings: Finding[],
): void {
  if (name === undefined || declared.chains.has(name)) return;
  checkKnown(path, name, 'chain', [...Object.keys(builtInChains), ...declared.chains.keys()], findings);
}
