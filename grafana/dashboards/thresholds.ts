import { type Threshold, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';

/** Where a figure turns from good to worth a look to bad, in the panel's own unit. */
export type Thresholds =
  | { readonly kind: 'none' }
  | { readonly kind: 'above'; readonly warning: number; readonly critical: number }
  | { readonly kind: 'below'; readonly warning: number; readonly critical: number };

/** For figures that are neither good nor bad, as traffic is. */
export const NEUTRAL: Thresholds = { kind: 'none' };

export function above(warning: number, critical: number): Thresholds {
  return { kind: 'above', warning, critical };
}

export function below(warning: number, critical: number): Thresholds {
  return { kind: 'below', warning, critical };
}

export function toBuilder(thresholds: Thresholds): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(stepsOf(thresholds));
}

/** Grafana's steps go up; each colour holds from its value on. Where there is nothing in between, there is no warning. */
function stepsOf(thresholds: Thresholds): Threshold[] {
  if (thresholds.kind === 'none') return [{ value: null, color: 'blue' }];
  const { kind, warning, critical } = thresholds;
  const [first, last] = kind === 'above' ? ['green', 'red'] : ['red', 'green'];
  const [low, high] = kind === 'above' ? [warning, critical] : [critical, warning];
  const between = low === high ? [] : [{ value: low, color: 'orange' }];
  return [{ value: null, color: first }, ...between, { value: high, color: last }];
}
