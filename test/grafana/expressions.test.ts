import { describe, expect, it } from 'vitest';
import { kindOf, labelsOf, levelOf, unknownValues } from './known-names.ts';
import { readExpression, type Selector } from './promql.ts';
import { alerts, dashboards, panelQueries, recorded } from './shipped.ts';

const expressions = [
  ...panelQueries(),
  ...recorded.map(({ record, expr }) => ({ name: record, expr })),
  ...alerts.map(({ alert, labels, expr }) => ({ name: `${alert} ${labels?.['window'] ?? ''}`, expr })),
  ...dashboards.flatMap(({ title, templating }) =>
    templating.list.flatMap(({ name, definition }) =>
      definition === undefined ? [] : { name: `${title}: variable ${name}`, expr: selectorOf(definition) },
    ),
  ),
];

/** `label_values(metric{…}, label)` is Grafana's own: what it asks for, as an aggregation that keeps the label. */
function selectorOf(definition: string): string {
  const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
  return `count by (${label}) (${selector?.replaceAll('$job', '.*')})`;
}

function objections({ metric, matchers }: Selector): string[] {
  const labels = labelsOf(metric);
  if (!labels) return [`there is no metric ${metric}`];
  return matchers.flatMap(({ label, value }) => {
    if (!labels.has(label)) return [`${metric} has no label ${label}`];
    return unknownValues(label, value).map((unknown) => `${label} is never ${unknown}`);
  });
}

/** What is wrong, each with the name of where it stands. */
function everywhere(faultsOf: (expr: string) => readonly string[]): string[] {
  return expressions.flatMap(({ name, expr }) => faultsOf(expr).map((fault) => `${name}: ${fault}`));
}

describe('the expressions of panels, rules and variables', () => {
  it('are all PromQL, with no variable left that Grafana would not know', () => {
    expect(expressions.length).toBeGreaterThan(100);
    expect(everywhere((expr) => readExpression(expr).errors)).toEqual([]);
    expect(everywhere((expr) => expr.match(/\$\w+/g) ?? [])).toEqual([]);
  });

  it('ask only for metrics, labels and values that there are', () => {
    expect(everywhere((expr) => readExpression(expr).selectors.flatMap(objections))).toEqual([]);
    expect(everywhere((expr) => (readExpression(expr).selectors.length === 0 ? ['asks for nothing'] : []))).toEqual([]);
  });

  it('take rates and increases of counters only: what may fall would look as if it had been restarted', () => {
    const notCounted = (expr: string): string[] =>
      [...expr.matchAll(/\b(?:rate|irate|increase)\((\w+)/g)].flatMap(([, metric = '']) =>
        kindOf(metric) === 'counter' ? [] : [`${metric} is a ${kindOf(metric)}`],
      );
    expect(notCounted('rate(slipstream_saved_usd_total[5m])')).toEqual(['slipstream_saved_usd_total is a untyped']);
    expect(everywhere(notCounted)).toEqual([]);
  });

  it('keep only labels that their series have', () => {
    const missingIn = (expr: string): string[] =>
      readExpression(expr).groupings.flatMap(({ labels, selectors }) =>
        labels.flatMap((label) =>
          selectors
            .filter(({ metric }) => !labelsOf(metric)?.has(label))
            .map(({ metric }) => `${metric} has no ${label}`),
        ),
      );
    expect(everywhere(missingIn)).toEqual([]);
  });
});

describe('recorded names', () => {
  it.each(recorded)('$record says which labels are kept', ({ record, expr }) => {
    const level = levelOf(record);
    for (const { labels } of readExpression(expr).groupings) {
      expect(labels.filter((label) => label !== 'le').toSorted()).toEqual(level.toSorted());
    }
    expect(record.split(':').length).toBe(3);
  });
});

describe('the reader of expressions', () => {
  it('finds metrics, matchers and kept labels', () => {
    const { errors, selectors, groupings } = readExpression(
      'sum by (a, b) (rate(x{y=~"1|2"}[5m] offset 1h) or job:z:w) / q',
    );
    expect(errors).toEqual([]);
    expect(selectors).toEqual([
      { metric: 'x', matchers: [{ label: 'y', value: '1|2' }], text: 'x{y=~"1|2"}' },
      { metric: 'job:z:w', matchers: [], text: 'job:z:w' },
      { metric: 'q', matchers: [], text: 'q' },
    ]);
    expect(groupings.map(({ labels }) => labels)).toEqual([['a', 'b']]);
    expect(groupings.map((one) => one.selectors.length)).toEqual([2]);
  });

  it.each(['sum by (a) (rate(x[5m])', 'x{y=}', 'x + ', 'nosuchfunction(x[5m])'])('objects to %s', (text) => {
    expect(readExpression(text).errors).not.toEqual([]);
  });

  it.each([
    ['slipstream_no_such_metric', 'there is no metric slipstream_no_such_metric'],
    ['slipstream_open_streams{model="x"}', 'slipstream_open_streams has no label model'],
    ['slipstream_streams_total{outcome="finished"}', 'outcome is never finished'],
    ['slipstream_queue_wait_seconds', 'there is no metric slipstream_queue_wait_seconds'],
  ])('and the one of names objects to %s', (text, objection) => {
    expect(readExpression(text).selectors.flatMap(objections)).toEqual([objection]);
  });
});
