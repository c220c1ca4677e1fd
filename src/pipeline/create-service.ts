import { callUpstream, type CallUpstreamOptions } from './call-upstream.ts';
import { stack, type Service } from './service.ts';
import { withAdmission, type AdmissionOptions } from './with-admission.ts';
import { withBudget, type BudgetOptions } from './with-budget.ts';
import { withCapacity, type CapacityOptions } from './with-capacity.ts';
import { withRetry, type RetryOptions } from './with-retry.ts';
import { withRouting, type RoutingOptions } from './with-routing.ts';
import { withPromptCache, type PromptCacheOptions } from './with-prompt-cache.ts';
import { withMetering, type MeteringOptions } from './with-metering.ts';
import { withOwnership, type OwnershipOptions } from './with-ownership.ts';

/** Everything the pipeline stands on; each runtime brings its own. */
export type ServicePorts = MeteringOptions &
  OwnershipOptions &
  BudgetOptions &
  AdmissionOptions &
  RetryOptions &
  RoutingOptions &
  PromptCacheOptions &
  CapacityOptions &
  CallUpstreamOptions;

/** The whole pipeline in its order; service.ts says why it is this one. */
export function createService(ports: ServicePorts): Service {
  return stack(
    [
      withMetering(ports),
      withOwnership(ports),
      withBudget(ports),
      withAdmission(ports),
      withRetry(ports),
      withRouting(ports),
      withPromptCache(ports),
      withCapacity(ports),
    ],
    callUpstream(ports),
  );
}
