/** The budgets that the snapshot shows, read again only where slots have changed. */
import type { PublicBudgetSummary } from '@highwater/config/public.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Slots } from '../slots/slots.ts';
import { budgetOf, type NumbersParts } from './numbers.ts';
import type { Budgets } from './snapshot.ts';

export interface BudgetReader {
  read(now: Instant): Promise<Budgets>;
}

export function openBudgets(
  parts: Pick<NumbersParts, 'watched' | 'ledger'>,
  slots: Pick<Slots, 'revision' | 'shardsOf'>,
): BudgetReader {
  const kept = new Map<string, PublicBudgetSummary>();
  const seen = new Map<string, string>();
  const { watched } = parts;
  const promised = watched.config.services.filter(
    ({ visibility, objectiveMillionths }) => visibility === 'public' && objectiveMillionths !== undefined,
  );
  return {
    async read(now) {
      for (const service of promised) {
        const last = await parts.ledger.lastMinute(service.id, now);
        const shards = await slots.shardsOf(service.id);
        const version = `${shards.map((shard) => slots.revision(shard)).join(' ')} ${last}`;
        if (seen.get(service.id) === version) continue;
        const budget = await budgetOf(parts, service, last);
        if (budget !== undefined) kept.set(service.id, budget);
        seen.set(service.id, version);
      }
      return kept;
    },
  };
}
