import { describe, expect, it } from 'vitest';
import { DASHBOARDS, jsonOf } from '../../grafana/dashboards/all.ts';
import { DASHBOARD_FILES, dashboards, shippedText } from './shipped.ts';

const readme = shippedText('README.md');
const panels = dashboards.flatMap((dashboard) =>
  dashboard.panels.map((panel) => ({ dashboard: dashboard.title, ...panel })),
);
const rows = panels.filter(({ type }) => type === 'row');
const charts = panels.filter(({ type }) => type !== 'row');

describe('the JSON that Grafana reads', () => {
  it('is there for every dashboard, and for nothing else', () => {
    expect(DASHBOARD_FILES).toEqual(
      Object.keys(DASHBOARDS)
        .map((name) => `${name}.json`)
        .toSorted(),
    );
  });

  it.each(Object.entries(DASHBOARDS))(
    'of %s is what the code makes (else: node grafana/build.ts)',
    async (name, made) => {
      expect(shippedText(`dashboards/json/${name}.json`)).toBe(await jsonOf(made));
    },
  );
});

describe('dashboards', () => {
  it('have an id, and their panels a number, of their own', () => {
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length);
    for (const { panels: own } of dashboards) expect(new Set(own.map(({ id }) => id)).size).toBe(own.length);
  });

  it.each(dashboards)(
    '$title fills the width of every row of panels, and lays none over another',
    ({ panels: own }) => {
      const lines = Map.groupBy(own, ({ gridPos }) => gridPos.y);
      for (const [y, line] of lines) {
        expect
          .soft(
            line.reduce((width, { gridPos }) => width + gridPos.w, 0),
            `at ${y}`,
          )
          .toBe(24);
        expect.soft(new Set(line.map(({ gridPos }) => gridPos.h)).size, `heights at ${y}`).toBe(1);
      }
    },
  );

  it.each(dashboards)(
    '$title uses each of its variables in some panel, and each that it uses is there',
    ({ panels: own, templating }) => {
      const text = JSON.stringify(own.map(({ targets }) => targets));
      const used = new Set([...text.matchAll(/\$(?!__)(\w+)/g)].map(([, name = '']) => name));
      const offered = templating.list.map(({ name }) => name).filter((name) => name !== 'datasource');
      expect(used).toEqual(new Set(offered));
    },
  );
});

describe('rows', () => {
  it.each(rows)('of $dashboard: "$title" answers a question that the README names', ({ dashboard, title }) => {
    const section = readme.split(/^### /m).find((text) => text.startsWith(dashboard.replace('Slipstream / ', '')));
    expect(section?.match(new RegExp(String.raw`^\| ${title} +\| [^|]+\? +\|$`, 'm'))).not.toBeNull();
  });

  it('that the README names are all there are', () => {
    const named = [...readme.matchAll(/^\| ([^|]+?) +\| [^|]+\? +\|$/gm)].map(([, title]) => title);
    expect(named).toEqual(
      ['overview', 'cache', 'tenants', 'upstreams'].flatMap((name) => {
        return rows.filter(({ dashboard }) => dashboard.toLowerCase().endsWith(name)).map(({ title }) => title);
      }),
    );
  });
});

describe('panels', () => {
  const without = (isThere: (panel: (typeof charts)[number]) => boolean): string[] =>
    charts.filter((panel) => !isThere(panel)).map(({ dashboard, title }) => `${dashboard}: ${title}`);

  it('say what they show, in which unit, and what is good', () => {
    expect(without(({ description = '' }) => description.length > 20)).toEqual([]);
    expect(without(({ fieldConfig }) => Boolean(fieldConfig?.defaults.unit))).toEqual([]);
    expect(without(({ fieldConfig }) => (fieldConfig?.defaults.thresholds?.steps.length ?? 0) > 0)).toEqual([]);
  });

  it('name every series, and no two the same', () => {
    const legendsOf = ({ targets = [] }: (typeof charts)[number]) =>
      targets.map(({ legendFormat }) => legendFormat.trim());
    expect(without((panel) => legendsOf(panel).length > 0 && !legendsOf(panel).includes(''))).toEqual([]);
    expect(without((panel) => new Set(legendsOf(panel)).size === legendsOf(panel).length)).toEqual([]);
  });

  it('show money in dollars', () => {
    const isMoney = ({ targets = [] }: (typeof charts)[number]) =>
      targets.some(({ expr }) => expr.includes('_usd_total'));
    const isShare = ({ fieldConfig }: (typeof charts)[number]) => fieldConfig?.defaults.unit === 'percentunit';
    expect(
      without((panel) => !isMoney(panel) || isShare(panel) || panel.fieldConfig?.defaults.unit === 'currencyUSD'),
    ).toEqual([]);
  });
});
