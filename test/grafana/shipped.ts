import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** What is shipped under grafana/, as the files say it: a test reads what Grafana and Prometheus will. */
export const GRAFANA = new URL('../../grafana/', import.meta.url);

export interface ShippedDashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly ShippedPanel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

export interface ShippedPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string; readonly thresholds?: { readonly steps: readonly object[] } };
  };
}

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const shippedText = (path: string): string => readFileSync(new URL(path, GRAFANA), 'utf8');

export const shippedYaml = (path: string): unknown => parse(shippedText(path));

export const DASHBOARD_FILES = readdirSync(new URL('dashboards/json/', GRAFANA)).toSorted();

export const dashboards: readonly ShippedDashboard[] = DASHBOARD_FILES.map(
  (name) => JSON.parse(shippedText(`dashboards/json/${name}`)) as ShippedDashboard,
);

export const RULE_FILES = ['recording.yaml', 'alerts.yaml'] as const;

export const rules: readonly Rule[] = RULE_FILES.flatMap((name) =>
  (shippedYaml(`rules/${name}`) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
);

export const recorded = rules.flatMap(({ record, expr }) => (record === undefined ? [] : [{ record, expr }]));
export const alerts = rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]));

export interface PanelQuery {
  /** `Cache / Does it pay / …`: enough to find it. */
  readonly name: string;
  readonly expr: string;
  readonly legend: string;
}

/** Every query of every panel, as Grafana would send it with all tenants, models and upstreams chosen. */
export function panelQueries(rateInterval = '5m', range = '1h'): PanelQuery[] {
  return dashboards.flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr, legendFormat }) => ({
        name: `${title.replace('Slipstream / ', '')} / ${panel.title} / ${legendFormat}`,
        expr: expr
          .replaceAll('$__rate_interval', rateInterval)
          .replaceAll('$__range', range)
          .replaceAll(/\$(?:job|tenant|model|upstream)\b/g, '.*'),
        legend: legendFormat,
      })),
    ),
  );
}
