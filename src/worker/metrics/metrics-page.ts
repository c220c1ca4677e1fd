import type { MetricsText } from '../../metrics/metrics.ts';
import { addUp } from '../../prometheus/add-up.ts';
import { dialectOf, METRIC_NAMES, renderPage, type Family } from '../../prometheus/page.ts';
import type { Readings } from '../../prometheus/sample-text.ts';
import { createShelves, type Shelves } from '../../prometheus/shelves.ts';
import type { Board, HubTotals } from './metrics-remote.ts';

/**
 * The page of all hubs together: what they counted adds up; what the asking isolate has read off stands as it is; the hit
 * ratio is made of all input tokens, because ratios do not add up.
 */
export async function renderHubPage(
  accept: string,
  hubs: readonly HubTotals[],
  board: Board,
  turn: () => Promise<unknown>,
): Promise<MetricsText> {
  const shown = createShelves();
  const shownNames = new Set<string>(['slipstream_cache_hit_ratio']);
  for (const { n, l, v } of board.gauges) {
    if (n === 'slipstream_cache_hit_ratio') continue; // of one isolate only
    shownNames.add(n);
    shown.set(n as never, l, v);
  }
  for (const [model, ratio] of hitRatios(hubs)) shown.set('slipstream_cache_hit_ratio', { model }, ratio);
  const families = METRIC_NAMES.map((name): Family => {
    return { name, readings: shownNames.has(name) ? shownReadings(shown, name) : countedReadings(hubs, name) };
  });
  return renderPage(families, dialectOf(accept), turn);
}

function hitRatios(hubs: readonly HubTotals[]): Map<string, number> {
  const models = new Set(hubs.flatMap(({ input }) => [...input.keys()]));
  const sum = (model: string, what: 'readTokens' | 'inputTokens'): number =>
    hubs.reduce((total, { input }) => total + (input.get(model)?.[what] ?? 0), 0);
  return new Map([...models].map((model) => [model, sum(model, 'readTokens') / sum(model, 'inputTokens')]));
}

function shownReadings({ all }: Shelves, name: Family['name']): Family['readings'] {
  return [...all.values()].flatMap((shelf) => shelf.get(name) ?? []).map((metric) => () => metric.get());
}

function countedReadings(hubs: readonly HubTotals[], name: Family['name']): Family['readings'] {
  const keys = new Set(hubs.flatMap(({ shelves }) => [...shelves.keys()]));
  const of = (readings: readonly Readings[] = []): Readings[] => readings.filter((one) => one.name === name);
  return [...keys].map((key) => async () => addUp(hubs.flatMap(({ shelves }) => of(shelves.get(key)))));
}
