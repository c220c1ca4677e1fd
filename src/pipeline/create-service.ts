import type { Clock } from '../core/clock.ts';
import type { HitRatio } from '../metrics/hit-ratio.ts';
import type { TenantLabels } from '../metrics/labels.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Ledger } from '../state/ledger.ts';
import type { Slots } from '../state/slots.ts';
import { callUpstream } from './call-upstream.ts';
import { stack, type Service } from './service.ts';
import { withAdmission } from './with-admission.ts';
import { withBudget } from './with-budget.ts';
import { withRouting, type Route } from './with-routing.ts';
import { withPromptCache, type PromptCacheOptions } from './with-prompt-cache.ts';
import { withMetering, type ExchangeRecord } from './with-metering.ts';

/** Everything the pipeline stands on; each runtime brings its own. */
export interface ServicePorts extends PromptCacheOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tenantLabels: TenantLabels;
  readonly hitRatio: HitRatio;
  readonly slots: Slots;
  readonly ledger: Ledger;
  readonly route: Route;
  readonly onRecord: (record: ExchangeRecord) => void;
}

/** The whole pipeline in its order; service.ts says why it is this one. */
export function createService(ports: ServicePorts): Service {
  return stack(
    [withMetering(ports), withBudget(ports), withAdmission(ports), withRouting(ports), withPromptCache(ports)],
    callUpstream(ports),
  );
}
