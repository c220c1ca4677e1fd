import * as units from '@grafana/grafana-foundation-sdk/units';
import { createDashboard } from './dashboard.ts';
import { bars, figure, graph } from './panels.ts';
import {
  errorShareOf,
  increaseOf,
  OF_TENANT,
  OF_TENANT_AND_MODEL,
  partOf,
  quantileOf,
  rateOf,
  savedOf,
  shareOf,
  SLOTS_OF_TENANT,
  sumOf,
} from './queries.ts';
import { above, below, NEUTRAL } from './thresholds.ts';

/** Who uses what, who waits for whom, who pays, and what each of them feels of it. */

const REQUESTS = 'slipstream_requests_total';
const COST = 'slipstream_cost_usd_total';

const use = {
  title: 'Who uses what',
  panels: [
    graph({
      title: 'Requests by tenant',
      description:
        'Requests that ended, a second. Tenants beyond the first 200 are "other"; unknown: refused before it was known who asks.',
      unit: units.RequestsPerSecond,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [{ expr: rateOf(REQUESTS, OF_TENANT_AND_MODEL, 'tenant'), legend: '{{tenant}}' }],
    }),
    graph({
      title: 'Share of the open streams',
      description: 'Streamed answers that are being relayed now, as a share of all of them: who holds the upstream.',
      unit: units.PercentUnit,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      max: 1,
      queries: [
        {
          expr: `${sumOf('slipstream_open_streams', OF_TENANT, 'tenant')} / on () group_left () (${sumOf('slipstream_open_streams', OF_TENANT)} > 0)`,
          legend: '{{tenant}}',
        },
      ],
    }),
    bars({
      title: 'Tokens by tenant',
      description: 'Input, read or not, and output within the time shown.',
      unit: units.Short,
      thresholds: NEUTRAL,
      span: 8,
      queries: [
        {
          expr: increaseOf('slipstream_input_tokens_total', OF_TENANT_AND_MODEL, 'tenant'),
          legend: '{{tenant}}: input',
        },
        {
          expr: increaseOf('slipstream_output_tokens_total', OF_TENANT_AND_MODEL, 'tenant'),
          legend: '{{tenant}}: output',
        },
      ],
    }),
  ],
};

const waits = {
  title: 'Who waits',
  panels: [
    graph({
      title: 'Time waited for a slot, p95',
      hasExemplars: true,
      description:
        "Granted or not, the wait for an upstream's slot included. Very slow and no errors: look here first.",
      unit: units.Seconds,
      thresholds: above(1, 5),
      span: 6,
      queries: [{ expr: quantileOf(0.95, 'slipstream_queue_wait_seconds', OF_TENANT, 'tenant'), legend: '{{tenant}}' }],
    }),
    graph({
      title: 'Requests that wait',
      description: 'For a slot of their own tenant, now.',
      unit: units.Short,
      thresholds: above(10, 100),
      span: 6,
      queries: [{ expr: sumOf('slipstream_queue_depth', SLOTS_OF_TENANT, 'name'), legend: '{{name}}' }],
    }),
    graph({
      title: 'Slots taken, of those a tenant has',
      description:
        'At 1 everything further waits; raise maxConcurrency if the upstreams have room. Replicas on Redis share one limit; of replicas without, each has its own, and it may be more than 1.',
      unit: units.PercentUnit,
      thresholds: above(0.8, 1),
      span: 6,
      queries: [
        {
          expr: shareOf(
            sumOf('slipstream_slots_in_use', SLOTS_OF_TENANT, 'name'),
            `max by (name) (slipstream_slots_limit{${SLOTS_OF_TENANT}})`,
          ),
          legend: '{{name}}',
        },
      ],
    }),
    graph({
      title: 'Refused by a limit',
      description:
        "Answered 429, as a share of a tenant's requests: the queue full or too slow, or the upstream's own limit.",
      unit: units.PercentUnit,
      thresholds: above(0.01, 0.05),
      span: 6,
      queries: [
        {
          expr: partOf(REQUESTS, 'status="429"', OF_TENANT_AND_MODEL, 'tenant'),
          legend: '{{tenant}}',
        },
      ],
    }),
  ],
};

const money = {
  title: 'What it costs',
  panels: [
    figure({
      title: 'Spent by the chosen tenants',
      description: 'Within the time shown. Models without a known price are not in it.',
      unit: units.Dollars,
      thresholds: NEUTRAL,
      span: 8,
      isOverRange: true,
      queries: [{ expr: increaseOf(COST, OF_TENANT_AND_MODEL), legend: 'spent' }],
    }),
    figure({
      title: 'Saved for the chosen tenants',
      description: 'Against the same requests without any caching, net of write premiums, within the time shown.',
      unit: units.Dollars,
      thresholds: below(0, 0),
      span: 8,
      isOverRange: true,
      queries: [{ expr: savedOf(OF_TENANT_AND_MODEL), legend: 'saved' }],
    }),
    figure({
      title: 'Refused for a spent budget',
      description: 'Requests answered 402 within the time shown.',
      unit: units.Short,
      thresholds: above(1, 100),
      span: 8,
      isOverRange: true,
      queries: [
        {
          expr: `sum (increase(${REQUESTS}{${OF_TENANT_AND_MODEL}, status="402"}[$__range]) or 0 * increase(${REQUESTS}{${OF_TENANT_AND_MODEL}}[$__range]))`,
          legend: 'refused',
        },
      ],
    }),
    bars({
      title: 'Spent by tenant',
      description: 'Cost of the answers within the time shown.',
      unit: units.Dollars,
      thresholds: NEUTRAL,
      span: 6,
      queries: [{ expr: increaseOf(COST, OF_TENANT_AND_MODEL, 'tenant'), legend: '{{tenant}}' }],
    }),
    bars({
      title: 'Saved by tenant',
      description: 'Net of write premiums within the time shown; below 0 where what was written was not read.',
      unit: units.Dollars,
      thresholds: below(0, 0),
      span: 6,
      queries: [{ expr: savedOf(OF_TENANT_AND_MODEL, 'tenant'), legend: '{{tenant}}' }],
    }),
    graph({
      title: 'Budget spent',
      description:
        'Spent in the current period, of the budget for it; at 1 further requests are answered 402. What runs by then is finished, so it may be more. Of replicas without a shared state the one that has spent most.',
      unit: units.PercentUnit,
      thresholds: above(0.8, 1),
      span: 6,
      queries: [
        {
          expr: `max by (tenant) (${shareOf(`slipstream_budget_spent_usd{${OF_TENANT}}`, `slipstream_budget_usd{${OF_TENANT}}`)})`,
          legend: '{{tenant}}',
        },
      ],
    }),
    graph({
      title: 'Spent an hour',
      description: "The pace of each tenant's spending, as it would be over an hour.",
      unit: units.Dollars,
      thresholds: NEUTRAL,
      span: 6,
      isStacked: true,
      queries: [{ expr: `3600 * ${rateOf(COST, OF_TENANT_AND_MODEL, 'tenant')}`, legend: '{{tenant}}' }],
    }),
  ],
};

const feel = {
  title: 'What they feel',
  panels: [
    graph({
      title: 'First token by tenant, p95',
      hasExemplars: true,
      description: 'From the last byte of the request to the first content, waits included.',
      unit: units.Seconds,
      thresholds: above(5, 8),
      span: 8,
      queries: [
        {
          expr: quantileOf(0.95, 'gen_ai_server_time_to_first_token_seconds', OF_TENANT_AND_MODEL, 'tenant'),
          legend: '{{tenant}}',
        },
      ],
    }),
    graph({
      title: 'Failed by tenant',
      description:
        "Share of a tenant's requests that went wrong by the gateway's or an upstream's fault, after all retries.",
      unit: units.PercentUnit,
      thresholds: above(0.01, 0.05),
      span: 8,
      queries: [{ expr: errorShareOf('gateway|upstream', OF_TENANT_AND_MODEL, 'tenant'), legend: '{{tenant}}' }],
    }),
    graph({
      title: 'Broken or left streams',
      description: 'Streams that did not end whole, a second, by tenant and end.',
      unit: units.OpsPerSecond,
      thresholds: NEUTRAL,
      span: 8,
      queries: [
        {
          expr: rateOf('slipstream_streams_total', `${OF_TENANT}, outcome!="complete"`, 'tenant, outcome'),
          legend: '{{tenant}} {{outcome}}',
        },
      ],
    }),
  ],
};

export const tenants = createDashboard({
  uid: 'slipstream-tenants',
  title: 'Tenants',
  description: 'Who uses what, who waits, who pays, and what each of them feels of it.',
  variables: ['tenant', 'model'],
  rows: [use, waits, money, feel],
});
