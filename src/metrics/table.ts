/**
 * Every metric the gateway exports, in one table: adapters create them from it, dashboards and tests read it, and a test
 * holds the documentation against it. Labels come from closed sets: unknown models and tenants beyond the cap are
 * `other`, paths never are a label.
 */
/** `untyped`: adds up like a counter and may fall, so it is neither a counter nor, as it ends in `_total`, a gauge (promtool). */
export type MetricKind = 'counter' | 'gauge' | 'histogram' | 'untyped';

export interface MetricRow {
  readonly kind: MetricKind;
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram's buckets, in the metric's unit. */
  readonly buckets?: readonly number[];
  /** Of a histogram: each bucket of a series names the newest request in it, on an OpenMetrics page. */
  readonly hasExemplars?: true;
}

const TTFT_SECONDS = [0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 12, 20, 30, 60];
const DURATION_SECONDS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600];
const OUTPUT_TOKEN_SECONDS = [0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5];
const OVERHEAD_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05];
const WAIT_SECONDS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60];

export const METRICS = {
  gen_ai_server_time_to_first_token_seconds: {
    kind: 'histogram',
    labels: ['model', 'cache', 'tenant'],
    help: 'From the last byte of the request to the first content event of the streamed answer.',
    buckets: TTFT_SECONDS,
    hasExemplars: true,
  },
  gen_ai_server_request_duration_seconds: {
    kind: 'histogram',
    labels: ['model', 'operation', 'status'],
    help: 'From the last byte of the request to the last byte of the answer.',
    buckets: DURATION_SECONDS,
    hasExemplars: true,
  },
  gen_ai_server_time_per_output_token_seconds: {
    kind: 'histogram',
    labels: ['model'],
    help: 'Time from the first content event to the end of a complete stream, per output token after the first.',
    buckets: OUTPUT_TOKEN_SECONDS,
  },
  slipstream_requests_total: {
    kind: 'counter',
    labels: ['tenant', 'model', 'operation', 'status'],
    help: 'Requests by the status the caller was sent; 499 where the caller left first.',
  },
  slipstream_errors_total: {
    kind: 'counter',
    labels: ['tenant', 'model', 'operation', 'fault'],
    help: 'Requests that did not go as they should, by who has to look into it.',
  },
  slipstream_streams_total: {
    kind: 'counter',
    labels: ['tenant', 'outcome'],
    help: 'Streamed answers by how they ended.',
  },
  slipstream_open_streams: {
    kind: 'gauge',
    labels: ['tenant'],
    help: 'Streamed answers that are being relayed now.',
  },
  slipstream_input_tokens_total: {
    kind: 'counter',
    labels: ['tenant', 'model', 'kind'],
    help: 'Input tokens as the upstream billed them.',
  },
  slipstream_output_tokens_total: {
    kind: 'counter',
    labels: ['tenant', 'model'],
    help: 'Output tokens as the upstream reported them.',
  },
  slipstream_cost_usd_total: {
    kind: 'counter',
    labels: ['tenant', 'model'],
    help: 'Cost of answers in USD. Models without a known price are not in it.',
  },
  slipstream_saved_usd_total: {
    kind: 'untyped',
    labels: ['tenant', 'model'],
    help: 'Saved in USD against the same requests without any caching, net of write premiums; falls where writes are not read.',
  },
  slipstream_cache_read_saving_usd_total: {
    kind: 'counter',
    labels: ['tenant', 'model'],
    help: 'What reads from the cache cost less than at the price of input, in USD.',
  },
  slipstream_cache_write_premium_usd_total: {
    kind: 'counter',
    labels: ['tenant', 'model'],
    help: 'What writes to the cache cost beyond the price of input, in USD.',
  },
  slipstream_cache_hit_ratio: {
    kind: 'gauge',
    labels: ['model'],
    help: 'Cache reads as a share of all input tokens over the last five minutes.',
  },
  slipstream_cache_results_total: {
    kind: 'counter',
    labels: ['tenant', 'result', 'reason'],
    help: 'Answers by how the prompt cache treated them, and why they read less than they might have.',
  },
  slipstream_breakpoints_total: {
    kind: 'counter',
    labels: ['source', 'place', 'ttl'],
    help: "Cache markers that went upstream, the callers' own and the gateway's.",
  },
  slipstream_observed_saving_usd_total: {
    kind: 'untyped',
    labels: ['tenant', 'model'],
    help: 'Where the gateway only observes: USD it would have saved, net of what it would have added.',
  },
  slipstream_observed_gain_usd_total: {
    kind: 'counter',
    labels: ['tenant', 'model'],
    help: 'Where the gateway only observes: USD it would have saved, of answers that would have cost less.',
  },
  slipstream_observed_loss_usd_total: {
    kind: 'counter',
    labels: ['tenant', 'model'],
    help: 'Where the gateway only observes: USD it would have added, of answers that would have cost more.',
  },
  slipstream_volatile_prefixes: {
    kind: 'gauge',
    labels: ['tenant'],
    help: 'Places in prompts that change with every request and so keep what stands behind them from being read.',
  },
  slipstream_volatile_prefix_tokens_per_day: {
    kind: 'gauge',
    labels: ['tenant'],
    help: 'Tokens a day behind such places that could be read if those stood still.',
  },
  slipstream_single_flight_total: {
    kind: 'counter',
    labels: ['role', 'outcome'],
    help: 'Requests that led the writing of a prefix, or waited for another that did.',
  },
  slipstream_single_flight_hold_seconds: {
    kind: 'histogram',
    labels: ['role', 'outcome'],
    help: 'How long requests waited for another one to write what they read.',
    buckets: WAIT_SECONDS,
  },
  slipstream_retries_total: {
    kind: 'counter',
    labels: ['upstream', 'reason'],
    help: 'Calls that were made again; cache_control is a 400 that spoke of our markers, asked again without them.',
  },
  slipstream_retry_budget_remaining_ratio: {
    kind: 'gauge',
    labels: [],
    help: 'What is left of the retries that ten seconds allow: 0 is none.',
  },
  slipstream_upstream_attempts_total: {
    kind: 'counter',
    labels: ['upstream', 'outcome'],
    help: 'Calls to an upstream by outcome.',
  },
  slipstream_upstream_state: {
    kind: 'gauge',
    labels: ['upstream', 'state'],
    help: 'Whether an upstream is in this state: 1 or 0; closed is in order.',
  },
  slipstream_upstream_ratelimit_remaining: {
    kind: 'gauge',
    labels: ['upstream', 'model_class', 'kind'],
    help: 'What an upstream has left of its requests and tokens per minute, as its last answer said and time has refilled.',
  },
  slipstream_upstream_ratelimit_limit: {
    kind: 'gauge',
    labels: ['upstream', 'model_class', 'kind'],
    help: 'Requests and tokens per minute that an upstream allows, as its last answer said.',
  },
  slipstream_slots_in_use: {
    kind: 'gauge',
    labels: ['scope', 'name'],
    help: 'Slots that are held now.',
  },
  slipstream_slots_limit: {
    kind: 'gauge',
    labels: ['scope', 'name'],
    help: 'Slots there are.',
  },
  slipstream_queue_depth: {
    kind: 'gauge',
    labels: ['scope', 'name'],
    help: 'Requests that wait for a slot now.',
  },
  slipstream_queue_wait_seconds: {
    kind: 'histogram',
    labels: ['tenant'],
    help: 'Time a request waited for a slot, granted or not.',
    buckets: WAIT_SECONDS,
    hasExemplars: true,
  },
  slipstream_budget_usd: {
    kind: 'gauge',
    labels: ['tenant'],
    help: 'The budget of a tenant for its period, in USD.',
  },
  slipstream_budget_spent_usd: {
    kind: 'gauge',
    labels: ['tenant'],
    help: 'What a tenant with a budget has spent of it in the current period, in USD.',
  },
  slipstream_state_degraded: {
    kind: 'gauge',
    labels: [],
    help: 'Whether the shared state cannot be reached, and this replica works on its share of the limits: 1 or 0.',
  },
  slipstream_overhead_seconds: {
    kind: 'histogram',
    labels: ['phase'],
    help: "The gateway's own time: before_upstream without waiting for a slot, first_event from upstream's byte to ours.",
    buckets: OVERHEAD_SECONDS,
  },
} as const satisfies Record<string, MetricRow>;

export type MetricTable = typeof METRICS;
export type MetricName = keyof MetricTable;
export type NameOf<Kind extends MetricKind> = {
  [Name in MetricName]: MetricTable[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
export type LabelsOf<Name extends MetricName> = Readonly<Record<MetricTable[Name]['labels'][number], string>>;
