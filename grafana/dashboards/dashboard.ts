import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { PanelOfDashboard } from './panels.ts';

/**
 * What all dashboards share: a datasource and a job to choose, links to one another that keep time and variables, rows
 * that answer one question each (grafana/README.md names it). Panels are numbered in their order.
 */
export interface DashboardFacts {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly PanelOfDashboard[];
}

export type Variable = keyof typeof VALUES;

/** Where the values of a variable are read from: gauges and counters that are there as soon as there is traffic. */
const VALUES = {
  tenant: 'label_values(slipstream_requests_total{job=~"$job"}, tenant)',
  model: 'label_values(slipstream_requests_total{job=~"$job"}, model)',
  upstream: 'label_values(slipstream_upstream_state{job=~"$job"}, upstream)',
} as const;
const JOBS = 'label_values(slipstream_slots_limit, job)';

const TAG = 'slipstream';

export function createDashboard({ uid, title, description, variables, rows }: DashboardFacts): Dashboard {
  const builder = new DashboardBuilder(`Slipstream / ${title}`)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .timezone('browser')
    .time({ from: 'now-3h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(linkToTheOthers())
    .withVariable(new DatasourceVariableBuilder('datasource').label('Datasource').type('prometheus'))
    .withVariable(variable('job', JOBS));
  for (const name of variables) builder.withVariable(variable(name, VALUES[name]));
  let id = 0;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) builder.withPanel(numbered(panel, ++id));
  }
  return builder.build();
}

function numbered(panel: PanelOfDashboard, id: number): PanelOfDashboard {
  return { build: () => ({ ...panel.build(), id }) };
}

function variable(name: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(`${name.charAt(0).toUpperCase()}${name.slice(1)}`)
    .datasource({ type: 'prometheus', uid: '${datasource}' })
    .query({ qryType: 1, query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all', selected: true });
}

function linkToTheOthers(): DashboardLinkBuilder {
  return new DashboardLinkBuilder('Slipstream')
    .type(DashboardLinkType.Dashboards)
    .tags([TAG])
    .includeVars(true)
    .keepTime(true);
}
