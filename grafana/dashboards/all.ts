import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { format } from 'prettier';
import { cache } from './cache.ts';
import { overview } from './overview.ts';
import { tenants } from './tenants.ts';
import { upstreams } from './upstreams.ts';

/** Every dashboard by the name of its file, and the text of that file: what Grafana reads, formatted as the repository is. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = { overview, cache, tenants, upstreams };

export function jsonOf(dashboard: Dashboard): Promise<string> {
  return format(JSON.stringify(dashboard), { parser: 'json', printWidth: 120 });
}
