import * as units from '@grafana/grafana-foundation-sdk/units';
import { createDashboard } from './dashboard.ts';
import { bars, figure, graph } from './panels.ts';
import {
  increaseOf,
  JOB,
  OF_TENANT,
  OF_TENANT_AND_MODEL,
  partOf,
  quantileOf,
  rateOf,
  rateOrZero,
  savedOf,
  shareOf,
  sumOf,
} from './queries.ts';
import { above, below, NEUTRAL } from './thresholds.ts';

/** What the prompt cache earns, and where it could earn more. Money is net of write premiums throughout. */

const TOKENS = 'slipstream_input_tokens_total';
const RESULTS = 'slipstream_cache_results_total';
const FLIGHTS = 'slipstream_single_flight_total';
const COST = 'slipstream_cost_usd_total';

const WRITES = 'kind=~"cache_write_5m|cache_write_1h"';

const pay = {
  title: 'Does it pay',
  panels: [
    figure({
      title: 'Saved',
      description: 'Against the same requests without any caching, net of write premiums, within the time shown.',
      unit: units.Dollars,
      thresholds: below(0, 0),
      span: 6,
      isOverRange: true,
      queries: [{ expr: savedOf(OF_TENANT_AND_MODEL), legend: 'saved' }],
    }),
    figure({
      title: 'Saved, of what it would have cost',
      description: 'Saved as a share of the cost without any caching, output included.',
      unit: units.PercentUnit,
      thresholds: below(0.2, 0),
      span: 6,
      isOverRange: true,
      queries: [
        {
          expr: shareOf(
            savedOf(OF_TENANT_AND_MODEL),
            `(${increaseOf(COST, OF_TENANT_AND_MODEL)} + ${savedOf(OF_TENANT_AND_MODEL)})`,
          ),
          legend: 'share',
        },
      ],
    }),
    figure({
      title: 'Would be saved where it only observes',
      description:
        'Of tenants with cache: observe, net of write premiums, within the time shown: what they leave lying.',
      unit: units.Dollars,
      thresholds: NEUTRAL,
      span: 6,
      isOverRange: true,
      queries: [
        {
          expr: `${increaseOf('slipstream_observed_gain_usd_total', OF_TENANT_AND_MODEL)} - ${increaseOf('slipstream_observed_loss_usd_total', OF_TENANT_AND_MODEL)}`,
          legend: 'left lying',
        },
      ],
    }),
    figure({
      title: 'Reads for each token written',
      description:
        'A token written for five minutes pays from 0.28 reads on, one written for an hour from 1.1: a read saves 0.9 of its price or more, writes cost 0.25 and 1 more.',
      unit: units.Short,
      thresholds: below(1.11, 0.28),
      span: 6,
      isOverRange: true,
      queries: [
        {
          expr: shareOf(
            increaseOf(TOKENS, `${OF_TENANT_AND_MODEL}, kind="cache_read"`),
            increaseOf(TOKENS, `${OF_TENANT_AND_MODEL}, ${WRITES}`),
          ),
          legend: 'reads',
        },
      ],
    }),
    graph({
      title: 'Hit rate by model',
      description: 'Share of all input tokens that were read from the cache.',
      unit: units.PercentUnit,
      thresholds: below(0.5, 0.2),
      span: 12,
      max: 1,
      queries: [
        {
          expr: partOf(TOKENS, 'kind="cache_read"', OF_TENANT_AND_MODEL, 'model'),
          legend: '{{model}}',
        },
      ],
    }),
    graph({
      title: 'Hit rate by tenant',
      description: 'Share of all input tokens that were read from the cache.',
      unit: units.PercentUnit,
      thresholds: below(0.5, 0.2),
      span: 12,
      max: 1,
      queries: [
        {
          expr: partOf(TOKENS, 'kind="cache_read"', OF_TENANT_AND_MODEL, 'tenant'),
          legend: '{{tenant}}',
        },
      ],
    }),
  ],
};

const writes = {
  title: 'What is read and written',
  panels: [
    graph({
      title: 'Input tokens by what became of them',
      description:
        'A second, as billed. uncached: full price. cache_read: a tenth or less. The two writes: 1.25 and 2 times the price.',
      unit: units.Short,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [{ expr: rateOf(TOKENS, OF_TENANT_AND_MODEL, 'kind'), legend: '{{kind}}' }],
    }),
    graph({
      title: 'Tokens written by time to live',
      description: 'Written a second, for five minutes and for an hour.',
      unit: units.Short,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [{ expr: rateOf(TOKENS, `${OF_TENANT_AND_MODEL}, ${WRITES}`, 'kind'), legend: '{{kind}}' }],
    }),
    graph({
      title: 'Markers by who set them',
      description:
        "Cache markers that went upstream a second: the callers' own and the gateway's, where, and for how long.",
      unit: units.OpsPerSecond,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [
        {
          expr: rateOf('slipstream_breakpoints_total', JOB, 'source, place, ttl'),
          legend: '{{source}} {{place}} {{ttl}}',
        },
      ],
    }),
  ],
};

const misses = {
  title: 'Why it missed',
  panels: [
    graph({
      title: 'Answers by cache result',
      description: 'hit: at least four fifths of the input were read. partial: some. miss: only written. off: neither.',
      unit: units.RequestsPerSecond,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [{ expr: rateOf(RESULTS, OF_TENANT, 'result'), legend: '{{result}}' }],
    }),
    graph({
      title: 'Reasons',
      description: 'Why answers read less than they might have; docs/metrics.md says what each word means.',
      unit: units.RequestsPerSecond,
      thresholds: NEUTRAL,
      span: 8,
      isStacked: true,
      queries: [{ expr: rateOf(RESULTS, `${OF_TENANT}, reason!=""`, 'reason'), legend: '{{reason}}' }],
    }),
    bars({
      title: 'Tenants and their reasons',
      description:
        'The ten most frequent pairs within the time shown, those left out where nothing could have been read.',
      unit: units.Short,
      thresholds: NEUTRAL,
      span: 8,
      queries: [
        {
          expr: `topk(10, ${increaseOf(RESULTS, `${OF_TENANT}, reason!~"|first_seen|below_minimum|disabled|observe"`, 'tenant, reason')})`,
          legend: '{{tenant}}: {{reason}}',
        },
      ],
    }),
    graph({
      title: 'Prompts that changed',
      description: "Share of a tenant's answers whose prompt was another one than before.",
      unit: units.PercentUnit,
      thresholds: above(0.1, 0.3),
      span: 6,
      queries: [
        {
          expr: partOf(RESULTS, 'reason=~"prefix_changed|tools_changed|params_changed"', OF_TENANT, 'tenant'),
          legend: '{{tenant}}',
        },
      ],
    }),
    graph({
      title: 'Volatile places in prompts',
      description:
        'Places that change with every request though what stands around them does not: a date, an id. /console/api/volatile-prefixes names each, without its text.',
      unit: units.Short,
      thresholds: above(1, 10),
      span: 6,
      queries: [{ expr: `max by (tenant) (slipstream_volatile_prefixes{${OF_TENANT}})`, legend: '{{tenant}}' }],
    }),
    graph({
      title: 'Tokens a day behind volatile places',
      description: 'Input that is paid for anew each time and could be read if those places stood still.',
      unit: units.Short,
      thresholds: above(1_000_000, 10_000_000),
      span: 6,
      queries: [
        { expr: sumOf('slipstream_volatile_prefix_tokens_per_day', OF_TENANT, 'tenant'), legend: '{{tenant}}' },
      ],
    }),
    graph({
      title: 'Markers that an upstream refused',
      description:
        "Calls made again without the gateway's markers, because a 400 spoke of them. It should be none: prompts of that shape are left alone for an hour.",
      unit: units.OpsPerSecond,
      thresholds: above(0.01, 0.1),
      span: 6,
      queries: [
        {
          expr: rateOrZero('slipstream_retries_total', `${JOB}, reason="cache_control"`, JOB, 'upstream'),
          legend: '{{upstream}}',
        },
      ],
    }),
  ],
};

const flights = {
  title: 'Waiting for one another',
  panels: [
    graph({
      title: 'Requests on a prefix that is being written',
      description:
        'leader: writes it. follower: waits and then reads it. promoted: took over when its leader failed. timed_out: went on its own, and paid for the write again.',
      unit: units.RequestsPerSecond,
      thresholds: NEUTRAL,
      span: 12,
      isStacked: true,
      queries: [{ expr: rateOf(FLIGHTS, JOB, 'role, outcome'), legend: '{{role}} {{outcome}}' }],
    }),
    graph({
      title: 'How long they wait',
      description: 'Of those that waited for another to write what they read. It is bounded by cache.maxHold (5 s).',
      unit: units.Seconds,
      thresholds: above(3, 5),
      span: 12,
      queries: [
        { expr: quantileOf(0.5, 'slipstream_single_flight_hold_seconds', JOB), legend: 'p50' },
        { expr: quantileOf(0.95, 'slipstream_single_flight_hold_seconds', JOB), legend: 'p95' },
      ],
    }),
  ],
};

export const cache = createDashboard({
  uid: 'slipstream-cache',
  title: 'Cache',
  description: 'What the prompt cache earns, and where it could earn more.',
  variables: ['tenant', 'model'],
  rows: [pay, writes, misses, flights],
});
