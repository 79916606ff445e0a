/** Services and their nodes. */
import { checkChainName } from './crosscheck-chains.ts';
import { checkChecks, checkCounts } from './crosscheck-checks.ts';
import { checkUnique, watchedRegions } from './crosscheck-common.ts';
import { checkTarget } from './crosscheck-targets.ts';
import type { Declared, ServiceEntry } from './declared.ts';
import { fieldOf, textOf, wrong } from './decode.ts';
import type { Entry } from './decode.ts';
import type { Finding } from './problems.ts';

export function checkService(
  service: ServiceEntry,
  declared: Declared,
  regions: readonly string[],
  findings: Finding[],
): void {
  const { path, raw, nodes } = service;
  const id = textOf(raw, 'id');
  if (id?.startsWith('chain.')) {
    findings.push(
      wrong([...path, 'id'], id, 'ids beginning with chain. are reserved for references, write another'),
    );
  }
  const chain = textOf(raw, 'chain');
  checkChainName([...path, 'chain'], chain, declared, findings);
  checkUnique(nodes, 'node of this service', findings);
  for (const node of nodes) checkNode(node, findings);
  const minUp = fieldOf(raw, 'minUp');
  if (typeof minUp === 'number' && nodes.length > 0 && minUp > nodes.length) {
    findings.push(
      wrong([...path, 'minUp'], minUp, `more than there are nodes, write ${nodes.length} or less`),
    );
  }
  checkTarget(service.public?.raw, service.public?.path ?? path, findings);
  const context = { chain, regions, watched: watchedRegions(declared) };
  if (service.checks) checkChecks(service.checks, { ...context, targets: nodes }, findings);
  if (service.public?.checks)
    checkChecks(service.public.checks, { ...context, targets: [service.public] }, findings);
  checkCounts(service, chain, findings);
  if (service.public && !service.public.checks && chain === undefined) {
    const remedy = 'write checks: [ { kind: http, every: 1m } ]';
    findings.push(
      wrong(
        [...service.public.path, 'checks'],
        undefined,
        `required on a service without a chain, ${remedy}`,
      ),
    );
  }
}

function checkNode({ raw, path }: Entry<unknown>, findings: Finding[]): void {
  if (textOf(raw, 'id') === 'public') {
    findings.push(wrong([...path, 'id'], 'public', 'reserved for the service’s public name, write another'));
  }
  checkTarget(raw, path, findings);
}
