import * as units from '@grafana/grafana-foundation-sdk/units';
import { createDashboard } from './dashboard.ts';
import {
  errorShareOf,
  increaseOf,
  JOB,
  OF_MODEL,
  OF_TENANT,
  OF_TENANT_AND_MODEL,
  partOf,
  quantileOf,
  rateOf,
  rateOrZero,
  savedOf,
  shareOf,
  SLOTS_OF_EVERY_UPSTREAM,
  SLOTS_OF_TENANT,
  sumOf,
} from './queries.ts';
import { figure, graph } from './panels.ts';
import { above, below, NEUTRAL } from './thresholds.ts';

/** The page that is left open: is it well, and if not, where is it not. The other three say why. */

const REQUESTS = 'slipstream_requests_total';
const STREAMS = 'slipstream_streams_total';
const TOKENS = 'slipstream_input_tokens_total';
const TTFT = 'gen_ai_server_time_to_first_token_seconds';

const now = {
  title: 'Now',
  panels: [
    figure({
      title: 'Requests',
      description: 'Requests that ended, a second, of any kind and with any status.',
      unit: units.RequestsPerSecond,
      thresholds: NEUTRAL,
      span: 3,
      queries: [{ expr: rateOf(REQUESTS, OF_TENANT_AND_MODEL), legend: 'requests' }],
    }),
    figure({
      title: 'Failed',
      description:
        "Share of requests that went wrong by the gateway's or an upstream's fault. The objective of the alerts is 1 %.",
      unit: units.PercentUnit,
      thresholds: above(0.01, 0.05),
      span: 3,
      queries: [{ expr: errorShareOf('gateway|upstream', OF_TENANT_AND_MODEL), legend: 'failed' }],
    }),
    figure({
      title: 'First token, p95',
      description:
        'Of 100 streamed answers 95 show their first content within this time. The objective of the alerts is 8 s.',
      unit: units.Seconds,
      thresholds: above(5, 8),
      span: 3,
      queries: [{ expr: quantileOf(0.95, TTFT, OF_TENANT_AND_MODEL), legend: 'p95' }],
    }),
    figure({
      title: 'Cache hit rate',
      description: 'Share of all input tokens that were read from the prompt cache.',
      unit: units.PercentUnit,
      thresholds: below(0.5, 0.2),
      span: 3,
      queries: [
        {
          expr: partOf(TOKENS, 'kind="cache_read"', OF_TENANT_AND_MODEL),
          legend: 'hit rate',
        },
      ],
    }),
    figure({
      title: 'Spent',
      description: 'Cost of the answers within the time shown. Models without a known price are not in it.',
      unit: units.Dollars,
      thresholds: NEUTRAL,
      span: 3,
      isOverRange: true,
      queries: [{ expr: increaseOf('slipstream_cost_usd_total', OF_TENANT_AND_MODEL), legend: 'spent' }],
    }),
    figure({
      title: 'Saved by caching',
      description: 'Against the same requests without any caching, net of write premiums, within the time shown.',
      unit: units.Dollars,
      thresholds: below(0, 0),
      span: 3,
      isOverRange: true,
      queries: [{ expr: savedOf(OF_TENANT_AND_MODEL), legend: 'saved' }],
    }),
    figure({
      title: 'Open streams',
      description: 'Streamed answers that are being relayed now.',
      unit: units.Short,
      thresholds: NEUTRAL,
      span: 3,
      queries: [{ expr: sumOf('slipstream_open_streams', OF_TENANT), legend: 'open' }],
    }),
    figure({
      title: 'Waiting',
      description: 'Requests that wait for a slot of their tenant now: slow for their callers, and no error anywhere.',
      unit: units.Short,
      thresholds: above(10, 100),
      span: 3,
      queries: [{ expr: sumOf('slipstream_queue_depth', SLOTS_OF_TENANT), legend: 'waiting' }],
    }),
  ],
};

const traffic = {
  title: 'Traffic',
  panels: [
    graph({
      title: 'Requests by model',
      description: 'Requests that ended, a second. Models that the gateway does not know are "other".',
      unit: units.RequestsPerSecond,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [{ expr: rateOf(REQUESTS, OF_TENANT_AND_MODEL, 'model'), legend: '{{model}}' }],
    }),
    graph({
      title: 'Tokens',
      description: 'Tokens a second as the upstream billed them, by what became of them.',
      unit: units.Short,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [
        { expr: rateOf(TOKENS, OF_TENANT_AND_MODEL, 'kind'), legend: 'input {{kind}}' },
        { expr: rateOf('slipstream_output_tokens_total', OF_TENANT_AND_MODEL), legend: 'output' },
      ],
    }),
    graph({
      title: 'Streams by their end',
      description:
        'complete: whole. client_abort: the caller left. reader_stalled: the caller took nothing. upstream_error, truncated: broken after it had begun, with a status of 200.',
      unit: units.OpsPerSecond,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [{ expr: rateOf(STREAMS, OF_TENANT, 'outcome'), legend: '{{outcome}}' }],
    }),
  ],
};

const firstToken = {
  title: 'First token and speed',
  panels: [
    graph({
      title: 'First token by cache result',
      hasExemplars: true,
      description: 'What the cache is worth in time: p50 and p95 of the time to the first content, hits beside misses.',
      unit: units.Seconds,
      thresholds: above(5, 8),
      span: 8,
      queries: [
        { expr: quantileOf(0.5, TTFT, OF_TENANT_AND_MODEL, 'cache'), legend: '{{cache}} p50' },
        { expr: quantileOf(0.95, TTFT, OF_TENANT_AND_MODEL, 'cache'), legend: '{{cache}} p95' },
      ],
    }),
    graph({
      title: 'First token by model, p95',
      hasExemplars: true,
      description: 'Of 100 streamed answers of a model 95 show their first content within this time.',
      unit: units.Seconds,
      thresholds: above(5, 8),
      span: 8,
      queries: [{ expr: quantileOf(0.95, TTFT, OF_TENANT_AND_MODEL, 'model'), legend: '{{model}}' }],
    }),
    graph({
      title: 'Time per output token, p50',
      description:
        "Of complete streams, after the first content: the upstream's speed, and that of callers who read slowly.",
      unit: units.Seconds,
      thresholds: above(0.05, 0.1),
      span: 8,
      queries: [
        {
          expr: quantileOf(0.5, 'gen_ai_server_time_per_output_token_seconds', OF_MODEL, 'model'),
          legend: '{{model}}',
        },
      ],
    }),
  ],
};

const errors = {
  title: 'Errors',
  panels: [
    graph({
      title: 'Errors by whose fault',
      description:
        'Shares of all requests. caller: a mistake, a limit of its own, or it left. gateway: a bug, a draining process, our key. upstream: it failed, broke off, or its rate limit was reached.',
      unit: units.PercentUnit,
      thresholds: above(0.01, 0.05),
      span: 8,
      isStacked: true,
      queries: ['caller', 'gateway', 'upstream'].map((fault) => ({
        expr: errorShareOf(fault, OF_TENANT_AND_MODEL),
        legend: fault,
      })),
    }),
    graph({
      title: 'Gone before the end',
      description:
        'Callers who left before there was a status (499), and streams that broke or were left after their beginning.',
      unit: units.OpsPerSecond,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [
        {
          expr: rateOrZero(REQUESTS, `${OF_TENANT_AND_MODEL}, status="499"`, OF_TENANT_AND_MODEL),
          legend: 'left before an answer',
        },
        { expr: rateOf(STREAMS, `${OF_TENANT}, outcome!="complete"`, 'outcome'), legend: 'stream {{outcome}}' },
      ],
    }),
    graph({
      title: 'How fast the error budgets burn',
      description:
        '1: as fast as the objective allows (1 % failed, 5 % with a first token later than 8 s), over one hour. Recorded by grafana/rules; all tenants and models together.',
      unit: units.Short,
      thresholds: above(1, 14.4),
      span: 8,
      queries: [
        { expr: `job:slipstream_failure_ratio:rate1h{${JOB}} / 0.01`, legend: '{{job}}: failures' },
        { expr: `job:slipstream_slow_first_token_ratio:rate1h{${JOB}} / 0.05`, legend: '{{job}}: slow first tokens' },
      ],
    }),
  ],
};

const saturation = {
  title: 'Saturation',
  panels: [
    graph({
      title: 'Slots taken, of all there are',
      description:
        'Slots of each upstream that are held, as a share of its limit, which follows what the upstream bears.',
      unit: units.PercentUnit,
      thresholds: above(0.8, 0.95),
      span: 6,
      max: 1,
      queries: [
        {
          expr: shareOf(
            sumOf('slipstream_slots_in_use', SLOTS_OF_EVERY_UPSTREAM, 'name'),
            sumOf('slipstream_slots_limit', SLOTS_OF_EVERY_UPSTREAM, 'name'),
          ),
          legend: '{{name}}',
        },
      ],
    }),
    graph({
      title: 'Requests that wait',
      description: 'For a slot of their own tenant, or, with one of those, for one of an upstream.',
      unit: units.Short,
      thresholds: above(10, 100),
      span: 6,
      queries: [{ expr: sumOf('slipstream_queue_depth', JOB, 'scope'), legend: 'for a slot of the {{scope}}' }],
    }),
    graph({
      title: 'Time waited for a slot',
      hasExemplars: true,
      description:
        "Granted or not. What is here is missing from the upstream's figures, and part of the time to first token.",
      unit: units.Seconds,
      thresholds: above(1, 5),
      span: 6,
      queries: [
        { expr: quantileOf(0.5, 'slipstream_queue_wait_seconds', OF_TENANT), legend: 'p50' },
        { expr: quantileOf(0.95, 'slipstream_queue_wait_seconds', OF_TENANT), legend: 'p95' },
      ],
    }),
    graph({
      title: "The gateway's own time, p99",
      description:
        "before_upstream: from the last byte of a request until it is sent on, without waiting. first_event: from the first content's arrival to its leaving.",
      unit: units.Seconds,
      thresholds: above(0.01, 0.025),
      span: 6,
      queries: [{ expr: quantileOf(0.99, 'slipstream_overhead_seconds', JOB, 'phase'), legend: '{{phase}}' }],
    }),
  ],
};

export const overview = createDashboard({
  uid: 'slipstream-overview',
  title: 'Overview',
  description: 'Is the gateway well, and if not, where is it not.',
  variables: ['tenant', 'model'],
  rows: [now, traffic, firstToken, errors, saturation],
});
