import { describe, expect, it } from 'vitest';
import type { MetricName } from '../../src/metrics/table.ts';
import { addUp } from '../../src/prometheus/add-up.ts';
import { createShelves, type Shelves } from '../../src/prometheus/shelves.ts';

function keysWith({ all }: Shelves, name: MetricName): string[] {
  return [...all].filter(([, shelf]) => shelf.has(name)).map(([key]) => key);
}

describe('a series lies', () => {
  it('on the shelf of its tenant, else on that of its model, else on the common one', () => {
    const shelves = createShelves();
    for (const tenant of ['acme', 'globex']) {
      for (const model of ['opus', 'haiku']) shelves.count('slipstream_output_tokens_total', { tenant, model });
    }
    shelves.observe('gen_ai_server_time_per_output_token_seconds', { model: 'opus' }, 0.01);
    shelves.observe('slipstream_overhead_seconds', { phase: 'first_event' }, 0.01);
    expect(keysWith(shelves, 'slipstream_output_tokens_total')).toEqual(['tenant=acme', 'tenant=globex']);
    expect(keysWith(shelves, 'gen_ai_server_time_per_output_token_seconds')).toEqual(['model=opus']);
    expect(keysWith(shelves, 'slipstream_overhead_seconds')).toEqual(['']);
  });

  it('on one shelf only, though a model be called like a tenant', () => {
    const shelves = createShelves();
    shelves.count('slipstream_output_tokens_total', { tenant: 'x', model: 'x' });
    shelves.observe('gen_ai_server_time_per_output_token_seconds', { model: 'x' }, 0.01);
    expect([...shelves.all.keys()]).toEqual(['tenant=x', 'model=x']);
  });
});

describe('clear', () => {
  it('takes a gauge down from every shelf, and no other', async () => {
    const shelves = createShelves();
    shelves.set('slipstream_cache_hit_ratio', { model: 'opus' }, 0.5);
    shelves.set('slipstream_cache_hit_ratio', { model: 'haiku' }, 0.5);
    shelves.set('slipstream_budget_usd', { tenant: 'acme' }, 3);
    shelves.clear('slipstream_cache_hit_ratio');
    const readings = await Promise.all([...shelves.all.values()].flatMap((shelf) => [...shelf.values()]).map((metric) => metric.get())); // prettier-ignore
    const left = readings.flatMap(({ name, values }) => values.map(({ value }) => ({ name, value })));
    expect(left).toEqual([{ name: 'slipstream_budget_usd', value: 3 }]);
  });
});

describe('readings added up', () => {
  const read = async (seconds: readonly number[], tenant: string) => {
    const shelves = createShelves();
    for (const each of seconds) shelves.observe('slipstream_queue_wait_seconds', { tenant }, each);
    return shelves.all.get(`tenant=${tenant}`)?.get('slipstream_queue_wait_seconds')?.get();
  };

  it('have the buckets, sums and counts of both, and series that only one has', async () => {
    const parts = await Promise.all([read([0.2, 7], 'acme'), read([0.2], 'acme'), read([0.3], 'globex')]);
    const total = addUp(parts.filter((part) => part !== undefined));
    const value = (metricName: string, labels: object): number | undefined =>
      total?.values.find((sample) => {
        const all = { metricName: `slipstream_queue_wait_seconds_${metricName}`, labels };
        return JSON.stringify({ metricName: sample.metricName, labels: sample.labels }) === JSON.stringify(all);
      })?.value;
    expect(value('bucket', { le: 0.25, tenant: 'acme' })).toBe(2);
    expect(value('bucket', { le: '+Inf', tenant: 'acme' })).toBe(3);
    expect(value('sum', { tenant: 'acme' })).toBeCloseTo(7.4, 12);
    expect(value('count', { tenant: 'acme' })).toBe(3);
    expect(value('count', { tenant: 'globex' })).toBe(1);
  });

  it('are nothing where there are none', () => {
    expect(addUp([])).toBeUndefined();
  });
});
