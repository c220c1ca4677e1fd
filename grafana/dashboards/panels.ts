import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { toBuilder, type Thresholds } from './thresholds.ts';

/**
 * The four kinds of panel that the dashboards are made of. No panel can be made without a description, a unit and
 * thresholds, and no query without a legend: the types ask for them.
 */
export interface PanelFacts {
  readonly title: string;
  /** What is to be seen and how to read it; shown behind the panel's i. */
  readonly description: string;
  /** One of the SDK's units. */
  readonly unit: string;
  readonly thresholds: Thresholds;
  /** Columns of 24. */
  readonly span: number;
  readonly queries: readonly Query[];
}

export interface Query {
  readonly expr: string;
  /** Grafana's template: `{{tenant}}`, or plain words. */
  readonly legend: string;
}

export interface GraphFacts extends PanelFacts {
  /** Series add up to something that is worth seeing. */
  readonly isStacked?: boolean;
  /** Top of the axis, for shares. */
  readonly max?: number;
  /** Single requests of the histogram, with their x-slipstream-id, as dots among the lines. */
  readonly hasExemplars?: boolean;
}

export type PanelOfDashboard = Builder<Panel>;

const GRAPH_HEIGHT = 8;
const FIGURE_HEIGHT = 4;
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;

/** Lines over time. */
export function graph(facts: GraphFacts): PanelOfDashboard {
  const panel = described(new TimeSeriesBuilder(), facts, GRAPH_HEIGHT)
    .targets(overTime(facts.queries, facts.hasExemplars))
    .colorScheme(colored(FieldColorModeId.PaletteClassic))
    .lineWidth(1)
    .fillOpacity(facts.isStacked ? 40 : 10)
    .showPoints(VisibilityMode.Never)
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(thresholdStyle(facts.thresholds)))
    .stacking(new StackingConfigBuilder().mode(facts.isStacked ? StackingMode.Normal : StackingMode.None).group('A'))
    .legend(legendUnder())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (facts.max !== undefined) panel.max(facts.max);
  return panel.min(0);
}

/** One number, with its way there behind it where it is read over time. */
export function figure(facts: PanelFacts & { readonly isOverRange?: boolean }): PanelOfDashboard {
  return described(new StatBuilder(), facts, FIGURE_HEIGHT)
    .targets(facts.isOverRange ? atOnce(facts.queries) : overTime(facts.queries))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorScheme(colored(FieldColorModeId.Thresholds))
    .colorMode(BigValueColorMode.Value)
    .graphMode(facts.isOverRange ? BigValueGraphMode.None : BigValueGraphMode.Area);
}

/** One bar for each series, over the whole range shown. */
export function bars(facts: PanelFacts): PanelOfDashboard {
  return described(new BarGaugeBuilder(), facts, GRAPH_HEIGHT)
    .targets(atOnce(facts.queries))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorScheme(colored(FieldColorModeId.Thresholds))
    .displayMode(BarGaugeDisplayMode.Basic)
    .orientation(VizOrientation.Horizontal)
    .legend(new VizLegendOptionsBuilder().showLegend(false));
}

export interface StateFacts extends PanelFacts {
  /** Word and colour of each value that the queries can give. */
  readonly states: Readonly<Record<number, { readonly text: string; readonly color: string }>>;
}

/** Which of a few states each series was in. */
export function states(facts: StateFacts): PanelOfDashboard {
  return described(new StateTimelineBuilder(), facts, GRAPH_HEIGHT)
    .targets(overTime(facts.queries))
    .colorScheme(colored(FieldColorModeId.Thresholds))
    .mappings([{ type: MappingType.ValueToText, options: { ...facts.states } }])
    .showValue(VisibilityMode.Never)
    .legend(legendUnder());
}

interface Describable {
  title(text: string): this;
  description(text: string): this;
  unit(unit: string): this;
  thresholds(thresholds: ReturnType<typeof toBuilder>): this;
  span(columns: number): this;
  height(rows: number): this;
  datasource(reference: typeof DATASOURCE): this;
}

function described<B extends Describable>(builder: B, facts: PanelFacts, height: number): B {
  return builder
    .title(facts.title)
    .description(facts.description)
    .unit(facts.unit)
    .thresholds(toBuilder(facts.thresholds))
    .span(facts.span)
    .height(height)
    .datasource(DATASOURCE);
}

function overTime(queries: readonly Query[], hasExemplars = false): Builder<Dataquery>[] {
  return queries.map((query, index) => target(query, index).range().exemplar(hasExemplars));
}

function atOnce(queries: readonly Query[]): Builder<Dataquery>[] {
  return queries.map((query, index) => target(query, index).instant());
}

function target({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .refId(String.fromCodePoint(65 + index))
    .expr(expr)
    .legendFormat(legend);
}

function colored(mode: FieldColorModeId): FieldColorBuilder {
  return new FieldColorBuilder().mode(mode);
}

function legendUnder(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom);
}

function thresholdStyle({ kind }: Thresholds): GraphThresholdsStyleMode {
  return kind === 'none' ? GraphThresholdsStyleMode.Off : GraphThresholdsStyleMode.Dashed;
}
