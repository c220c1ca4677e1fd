/**
 * PromQL in the few shapes that all panels share. Metrics and labels are plain words here: a test holds every one of them
 * against src/metrics/table.ts. Every selector is bound to the dashboard's variables, so that no panel shows more than its
 * heading says.
 */
export const JOB = 'job=~"$job"';
export const OF_TENANT = `${JOB}, tenant=~"$tenant"`;
export const OF_MODEL = `${JOB}, model=~"$model"`;
export const OF_TENANT_AND_MODEL = `${OF_TENANT}, model=~"$model"`;
export const OF_UPSTREAM = `${JOB}, upstream=~"$upstream"`;
/** Slots and queues name their owner in `name`. */
export const SLOTS_OF_TENANT = `${JOB}, scope="tenant", name=~"$tenant"`;
export const SLOTS_OF_UPSTREAM = `${JOB}, scope="upstream", name=~"$upstream"`;
export const SLOTS_OF_EVERY_UPSTREAM = `${JOB}, scope="upstream"`;

export function sumOf(metric: string, filter: string, by = ''): string {
  return `${sumBy(by)} (${metric}{${filter}})`;
}

/** A second, over as short a time as the scrapes allow. */
export function rateOf(counter: string, filter: string, by = ''): string {
  return `${sumBy(by)} (rate(${counter}{${filter}}[$__rate_interval]))`;
}

/** Over the whole time that the dashboard shows. */
export function increaseOf(counter: string, filter: string, by = ''): string {
  return `${sumBy(by)} (increase(${counter}{${filter}}[$__range]))`;
}

/** Over the whole time shown, net of what writes cost: of two counters, because `slipstream_saved_usd_total` may fall. */
export function savedOf(filter: string, by = ''): string {
  return `(${increaseOf('slipstream_cache_read_saving_usd_total', filter, by)} - ${increaseOf('slipstream_cache_write_premium_usd_total', filter, by)})`;
}

export function quantileOf(share: number, histogram: string, filter: string, by = ''): string {
  const kept = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${share}, ${rateOf(`${histogram}_bucket`, filter, kept)})`;
}

/** Nothing, and not NaN, where the whole is 0. */
export function shareOf(part: string, whole: string): string {
  return `${part} / (${whole} > 0)`;
}

/** 0 instead of nothing: a counter's series begins with its first event. */
export function rateOrZero(counter: string, filter: string, every: string, by = ''): string {
  return `${sumBy(by)} (rate(${counter}{${filter}}[$__rate_interval]) or 0 * rate(${counter}{${every}}[$__rate_interval]))`;
}

/** How much of what a counter counts meets a condition; 0 where nothing does yet. */
export function partOf(counter: string, condition: string, every: string, by = ''): string {
  return shareOf(rateOrZero(counter, `${every}, ${condition}`, every, by), rateOf(counter, every, by));
}

/** Requests that went wrong by one or more of the faults, as a share of all of them. */
export function errorShareOf(faults: string, filter: string, by = ''): string {
  const errors = `rate(slipstream_errors_total{${filter}, fault=~"${faults}"}[$__rate_interval])`;
  const requests = `rate(slipstream_requests_total{${filter}}[$__rate_interval])`;
  return shareOf(`${sumBy(by)} (${errors} or 0 * ${requests})`, `${sumBy(by)} (${requests})`);
}

function sumBy(by: string): string {
  return by === '' ? 'sum' : `sum by (${by})`;
}
