import * as units from '@grafana/grafana-foundation-sdk/units';
import { createDashboard } from './dashboard.ts';
import { graph, states } from './panels.ts';
import {
  JOB,
  OF_MODEL,
  OF_UPSTREAM,
  partOf,
  quantileOf,
  rateOf,
  shareOf,
  SLOTS_OF_UPSTREAM,
  sumOf,
} from './queries.ts';
import { above, below, NEUTRAL } from './thresholds.ts';

/** What the upstreams bear, refuse and have left, as the gateway sees them: calls, not callers' requests. */

const ATTEMPTS = 'slipstream_upstream_attempts_total';
const RETRIES = 'slipstream_retries_total';
const STATE = 'slipstream_upstream_state';
const REMAINING = 'slipstream_upstream_ratelimit_remaining';
const LIMIT = 'slipstream_upstream_ratelimit_limit';

/** The worst of all replicas: closed 0, half open 1, open 2, credential refused 3. */
const WORST_STATE = `max by (upstream) (${[
  `1 * ${STATE}{${OF_UPSTREAM}, state="half_open"}`,
  `2 * ${STATE}{${OF_UPSTREAM}, state="open"}`,
  `3 * ${STATE}{${OF_UPSTREAM}, state="credential_refused"}`,
].join(' or ')})`;

const order = {
  title: 'Are they in order',
  panels: [
    states({
      title: 'Circuit breakers',
      description:
        'closed: in order. half open: one call at a time finds out. open: nothing is sent. Refused: its key was not taken. The worst that a replica knows.',
      unit: units.Short,
      thresholds: above(1, 2),
      span: 8,
      states: {
        0: { text: 'closed', color: 'green' },
        1: { text: 'half open', color: 'orange' },
        2: { text: 'open', color: 'red' },
        3: { text: 'credential refused', color: 'dark-red' },
      },
      queries: [{ expr: WORST_STATE, legend: '{{upstream}}' }],
    }),
    graph({
      title: 'Calls by outcome',
      description: 'Calls a second, retries among them; docs/metrics.md says what each outcome means.',
      unit: units.OpsPerSecond,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [{ expr: rateOf(ATTEMPTS, OF_UPSTREAM, 'upstream, outcome'), legend: '{{upstream}} {{outcome}}' }],
    }),
    graph({
      title: 'Calls that failed',
      description:
        'Share of calls that an upstream failed: neither answered nor at fault of the caller. Retries hide it from callers, up to their budget.',
      unit: units.PercentUnit,
      thresholds: above(0.05, 0.2),
      span: 8,
      max: 1,
      queries: [
        {
          expr: partOf(ATTEMPTS, 'outcome!~"ok|client_error|client_abort"', OF_UPSTREAM, 'upstream'),
          legend: '{{upstream}}',
        },
      ],
    }),
  ],
};

const left = {
  title: 'How much is left',
  panels: [
    graph({
      title: 'Requests left this minute',
      description:
        "As a share of the upstream's limit, as its last answer said and time has refilled; the lowest that a replica knows.",
      unit: units.PercentUnit,
      thresholds: below(0.25, 0.1),
      span: 6,
      max: 1,
      queries: [remaining('requests')],
    }),
    graph({
      title: 'Tokens left this minute',
      description:
        'As a share of the limit: input tokens that are not read from the cache, and output tokens. At 0 the upstream answers 429.',
      unit: units.PercentUnit,
      thresholds: below(0.25, 0.1),
      span: 6,
      max: 1,
      queries: [remaining('input_tokens'), remaining('output_tokens')],
    }),
    graph({
      title: 'Slots in use and their limit',
      description:
        'The limit follows what the upstream bears: it falls with 429 and 529, and grows back slowly up to maxConcurrency.',
      unit: units.Short,
      thresholds: NEUTRAL,
      span: 6,
      queries: [
        { expr: sumOf('slipstream_slots_in_use', SLOTS_OF_UPSTREAM, 'name'), legend: '{{name}} in use' },
        { expr: sumOf('slipstream_slots_limit', SLOTS_OF_UPSTREAM, 'name'), legend: '{{name}} limit' },
      ],
    }),
    graph({
      title: 'Requests that wait for an upstream',
      description: 'They hold a slot of their tenant, and are served in turns between tenants by weight.',
      unit: units.Short,
      thresholds: above(10, 100),
      span: 6,
      queries: [{ expr: sumOf('slipstream_queue_depth', SLOTS_OF_UPSTREAM, 'name'), legend: '{{name}}' }],
    }),
  ],
};

const again = {
  title: 'What is asked again',
  panels: [
    retriesPanel(
      'Asked again after a 429',
      'rate_limited',
      'Our own rate limit was reached: a higher tier or fewer requests help.',
    ),
    retriesPanel(
      'Asked again after a 529',
      'overloaded',
      'The upstream is overloaded, whoever asks: only time or another upstream helps.',
    ),
    graph({
      title: 'Asked again for other reasons',
      description: 'Server errors, broken connections and streams, refused credentials, markers that were refused.',
      unit: units.OpsPerSecond,
      thresholds: above(0.1, 1),
      span: 8,
      isStacked: true,
      queries: [
        {
          expr: rateOf(RETRIES, `${OF_UPSTREAM}, reason!~"rate_limited|overloaded"`, 'upstream, reason'),
          legend: '{{upstream}} {{reason}}',
        },
      ],
    }),
    graph({
      title: 'Retry budget left',
      description:
        'Of the retries that a process allows itself in ten seconds. At 0 what fails is not asked again, and callers get the errors.',
      unit: units.PercentUnit,
      thresholds: below(0.5, 0.1),
      span: 12,
      max: 1,
      queries: [
        { expr: `min by (instance) (slipstream_retry_budget_remaining_ratio{${JOB}})`, legend: '{{instance}}' },
      ],
    }),
    graph({
      title: 'Retries for each first call',
      description: 'All upstreams together. The budget allows 0.3. Recorded by grafana/rules.',
      unit: units.Short,
      thresholds: above(0.2, 0.3),
      span: 12,
      queries: [{ expr: `job:slipstream_retries_per_first_call:rate5m{${JOB}}`, legend: '{{job}}' }],
    }),
  ],
};

const around = {
  title: 'What else is slow',
  panels: [
    graph({
      title: 'Whole answers by model, p95',
      hasExemplars: true,
      description: 'From the last byte of a request to the last byte of its answer, of those answered 200.',
      unit: units.Seconds,
      thresholds: above(60, 300),
      span: 12,
      queries: [
        {
          expr: quantileOf(
            0.95,
            'gen_ai_server_request_duration_seconds',
            `${OF_MODEL}, operation="messages", status="200"`,
            'model',
          ),
          legend: '{{model}}',
        },
      ],
    }),
    states({
      title: 'Shared state',
      description: 'Degraded: the shared state cannot be reached, and a replica works on its share of the limits.',
      unit: units.Short,
      thresholds: above(1, 1),
      span: 12,
      states: { 0: { text: 'reached', color: 'green' }, 1: { text: 'degraded', color: 'red' } },
      queries: [{ expr: `max by (instance) (slipstream_state_degraded{${JOB}})`, legend: '{{instance}}' }],
    }),
  ],
};

function remaining(kind: string) {
  const filter = `${OF_UPSTREAM}, kind="${kind}"`;
  return {
    expr: `min by (upstream, model_class) (${shareOf(`${REMAINING}{${filter}}`, `${LIMIT}{${filter}}`)})`,
    legend: `{{upstream}} {{model_class}} ${kind}`,
  };
}

function retriesPanel(title: string, reason: string, description: string) {
  return graph({
    title,
    description: `Retries a second. ${description}`,
    unit: units.OpsPerSecond,
    thresholds: above(0.1, 1),
    span: 8,
    queries: [{ expr: rateOf(RETRIES, `${OF_UPSTREAM}, reason="${reason}"`, 'upstream'), legend: '{{upstream}}' }],
  });
}

export const upstreams = createDashboard({
  uid: 'slipstream-upstreams',
  title: 'Upstreams',
  description: 'What the upstreams bear, refuse and have left.',
  variables: ['upstream', 'model'],
  rows: [order, left, again, around],
});
