import type { Clock } from '../core/clock.ts';
import type { GatewayRequest } from '../core/exchange.ts';
import { costOf } from '../core/prices.ts';
import { periodEndMs, periodStartMs } from '../core/tenant.ts';
import type { Ledger } from '../state/ledger.ts';
import type { Layer } from './service.ts';

export interface BudgetOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
}

/**
 * Refuses once a tenant's budget is spent, and books what answers cost, in the period in which they end. What runs when
 * the budget runs out is finished, so that a tenant can exceed it by its requests in flight. Models without a known
 * price are free here and show up as such in the metrics. A batch is refused, too, but not booked: what it costs is known
 * when it has ended, and nobody may ask for that, or several times.
 */
export function withBudget({ clock, ledger }: BudgetOptions): Layer {
  return (inner) => async (request, context) => {
    const { budget, id } = context.tenant;
    if (budget === null || !isBilled(request)) return inner(request, context);
    const wallMs = clock.wallMs();
    const startMs = periodStartMs(budget.per, wallMs);
    if ((await ledger.spentUsd(id, startMs)) >= budget.usd) {
      const retryAfterSeconds = Math.ceil((periodEndMs(budget.per, wallMs) - wallMs) / 1000);
      const detail = `${budget.usd} USD per ${budget.per}.`;
      return { kind: 'refused', refusal: { code: 'budget_spent', detail, retryAfterSeconds } };
    }
    const outcome = await inner(request, context);
    if (outcome.kind !== 'held' && outcome.usage) {
      const cost = costOf(outcome.model ?? request.model, outcome.usage);
      if (cost) ledger.book(id, periodStartMs(budget.per, clock.wallMs()), cost.usd);
    }
    return outcome;
  };
}

function isBilled({ operation, object }: GatewayRequest): boolean {
  return operation === 'messages' || (operation === 'batches' && object?.does === 'create');
}
