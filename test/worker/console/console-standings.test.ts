import { describe, expect, it } from 'vitest';
import { withStandings } from '../../../src/worker/console/console-standings.ts';
import { liveOf, reportOf, tenantOf, upstreamOf } from '../isolate-words.ts';

const NOBODY = { tenants: new Map(), upstreams: new Map() };
const held = (inUse: number, waiting: number, limit: number) => ({ inUse, waiting, limit });
const quota = { modelClass: 'sonnet', kind: 'requests' as const, remaining: 40, limit: 50 };

describe('the reports with what the objects say', () => {
  it('count what tenants and upstreams hold once, and as their objects do', () => {
    const report = reportOf({ upstreams: [upstreamOf({ inUse: 5 })] });
    const reports = withStandings([report, report], {
      tenants: new Map([['acme', held(3, 2, 4)]]),
      upstreams: new Map([['main', { load: held(7, 1, 64), quotas: [{ ...quota, resetInMs: 4_000 }] }]]),
    });
    expect(reports.map(({ tenants }) => tenants)).toEqual([[tenantOf(held(3, 2, 4))], []]);
    expect(reports.map(({ upstreams }) => upstreams)).toEqual([
      [upstreamOf({ ...held(7, 1, 64), quotas: [quota] })],
      [],
    ]);
  });

  it('show a tenant whose object has not said anything as idle, with its configured limit', () => {
    const [report] = withStandings([reportOf({ tenants: [tenantOf({ inUse: 1, waiting: 1 })] })], NOBODY);
    expect(report?.tenants).toEqual([tenantOf(held(0, 0, 16))]);
  });

  it('show who is in no settings, too, as callers of pass-through mode are', () => {
    const tenants = new Map([['caller-1f3a', held(1, 0, 16)]]);
    const [report] = withStandings([reportOf({ tenants: [] })], { ...NOBODY, tenants });
    expect(report?.tenants).toEqual([tenantOf({ id: 'caller-1f3a', inUse: 1 })]);
  });

  it('show of every upstream the worst that a breaker of any isolate has found', () => {
    const states = ['closed', 'open', 'half_open'] as const;
    const all = states.map((breaker) => reportOf({ upstreams: [upstreamOf({ breaker })] }));
    expect(withStandings(all, NOBODY)[0]?.upstreams[0]?.breaker).toBe('open');
  });

  it('keep what runs in each isolate', () => {
    const all = ['a', 'b'].map((id) => reportOf({ live: [liveOf(id)] }));
    expect(withStandings(all, NOBODY).map(({ live }) => live[0]?.id)).toEqual(['a', 'b']);
  });
});
