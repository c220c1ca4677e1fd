// Requests, streams and attempts: /metrics counts what callers and the upstream saw, no more and no less.

import type { TenantBooks } from './account.ts';
import { check, count, isBetween, type Check, type Evidence } from './check.ts';

export function counterChecks(evidence: Evidence): Check[] {
  return [
    attemptsCheck(evidence),
    streamsCheck(evidence),
    requestsCheck(evidence),
    answersCheck(evidence),
    drainCheck(evidence),
  ];
}

function attemptsCheck({ books, page }: Evidence): Check {
  const attempts = page.sum('slipstream_upstream_attempts_total');
  const retries = page.sum('slipstream_retries_total');
  // A caller that leaves while its call is being connected ends it before the simulator sees it.
  const unseen = [...books.tenants.values()].reduce((sum, { unseenStatus }) => sum + unseenStatus, 0);
  const over = attempts - books.calls;
  const again = books.calls - books.reached;
  return check(
    'attempts are the calls upstream saw, and retries those made again',
    over >= 0 && over <= unseen && retries >= again && retries - again <= over,
    [
      `attempts ${count(attempts)}, seen upstream ${count(books.calls)}`,
      `retries ${count(retries)}, made again ${count(again)}`,
    ],
  );
}

function streamsCheck({ books, page }: Evidence): Check {
  const off: string[] = [];
  const outcomes = page.by('outcome', 'slipstream_streams_total');
  let opened = 0;
  for (const [tenant, { streams, unseenStreams }] of books.tenants) {
    const ours = page.by('outcome', 'slipstream_streams_total', { tenant });
    const seen = (...endings: string[]) => endings.reduce((sum, ending) => sum + (streams.get(ending) ?? 0), 0);
    const total = [...streams.values()].reduce((sum, of) => sum + of, 0);
    opened += total;
    const left = seen('left') + unseenStreams;
    const failed = (ours.get('upstream_error') ?? 0) + (ours.get('truncated') ?? 0);
    const isRight =
      isBetween(sumOfMap(ours), total, total + unseenStreams) &&
      isBetween(ours.get('complete') ?? 0, seen('whole'), seen('whole') + left) &&
      isBetween(failed, seen('error_event', 'broken'), seen('error_event', 'broken') + left);
    if (!isRight) off.push(`${tenant}: ${textOf(ours)} for ${textOf(streams)}`);
  }
  return check('streams by outcome are the streams opened', off.length === 0, [
    `opened ${count(opened)}`,
    textOf(outcomes),
    ...off.slice(0, 3),
  ]);
}

function requestsCheck({ books, page }: Evidence): Check {
  const off: string[] = [];
  let made = 0;
  for (const [tenant, seen] of books.tenants) {
    const ours = page.by('status', 'slipstream_requests_total', { tenant });
    made += seen.requests;
    if (!addsUp(seen, ours)) off.push(`${tenant}: ${textOf(ours)} for ${textOf(seen.statuses)}`);
  }
  return check('requests by status are the requests made', off.length === 0, [
    `made ${count(made)}`,
    textOf(page.by('status', 'slipstream_requests_total')),
    ...off.slice(0, 3),
  ]);
}

/** A request given up while it was being sent may never have become one, so the sum may lack as many as left unseen. */
function addsUp({ requests, statuses, unseenStatus }: TenantBooks, ours: ReadonlyMap<string, number>): boolean {
  const names = new Set([...statuses.keys(), ...ours.keys()]);
  const isRight = [...names].every((status) => {
    const seen = statuses.get(status) ?? 0;
    return isBetween(ours.get(status) ?? 0, seen, seen + unseenStatus);
  });
  return isRight && isBetween(sumOfMap(ours), requests - unseenStatus, requests);
}

function answersCheck({ books }: Evidence): Check {
  const failed = [...books.tenants].filter(([, tenant]) => tenant.failed > 0);
  const figures = failed.map(([tenant, { failed: of }]) => `${tenant}: ${of} did not`);
  return check('every caller that waited got an answer and its end', failed.length === 0, figures);
}

function drainCheck({ books }: Evidence): Check {
  return check('callers that left where hangUp is drain: read to the end', books.undrained === 0, [
    `${books.undrained} were not`,
  ]);
}

function sumOfMap(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, of) => sum + of, 0);
}

function textOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, of]) => `${name} ${count(of)}`).join(', ');
}
