import type { UpstreamStanding } from '../../console/contract.ts';
import type { ProcessReport, TenantReading, UpstreamReading } from '../../console/process-report.ts';
import type { Standing } from '../metrics/metrics-standings.ts';

/**
 * The reports of all isolates, and what tenants and upstreams hold as their objects say it, where the settings and the
 * breakers are as the isolates have them. An isolate knows of itself alone, so its own counts are left out.
 */
export function withStandings(reports: readonly ProcessReport[], standing: Standing): ProcessReport[] {
  return reports.map((report, index) => {
    if (index > 0) return { ...report, tenants: [], upstreams: [] }; // all are said with the first
    const upstreams = report.upstreams.map((reading) => upstreamReading(reading, reports, standing));
    return { ...report, tenants: tenantReadings(report.tenants, standing), upstreams };
  });
}

const NOTHING_HELD = { inUse: 0, waiting: 0 };

/** The configured ones, and in pass-through mode whoever holds a slot or waits for one. */
function tenantReadings(configured: readonly TenantReading[], { tenants }: Standing): TenantReading[] {
  const known = new Set(configured.map(({ id }) => id));
  const others = [...tenants].filter(([id]) => !known.has(id));
  return [
    ...configured.map((reading) => ({ ...reading, ...NOTHING_HELD, ...tenants.get(reading.id) })),
    ...others.map(([id, count]) => ({ id, weight: 1, budget: null, ...count })),
  ];
}

function upstreamReading(
  reading: UpstreamReading,
  reports: readonly ProcessReport[],
  { upstreams }: Standing,
): UpstreamReading {
  const standing = upstreams.get(reading.id);
  const breakers = reports.flatMap((report) =>
    report.upstreams.filter(({ id }) => id === reading.id).map(({ breaker }) => breaker),
  );
  const worst = WORST_FIRST.find((state) => breakers.includes(state)) ?? reading.breaker;
  const quotas = standing?.quotas.map(({ modelClass, kind, remaining, limit }) => ({
    modelClass,
    kind,
    remaining,
    limit,
  }));
  return { ...reading, ...standing?.load, quotas: quotas ?? [], breaker: worst };
}

/** Each isolate has breakers of its own: what one of them has found is what an operator wants to know. */
const WORST_FIRST: readonly UpstreamStanding['breaker'][] = ['credential_refused', 'open', 'half_open', 'closed'];
