// Tokens and money: the calls' bills are the ledger's, and /metrics has what could be known of them, by tenant and model.

import { costOf } from '../../src/core/prices.ts';
import { NO_USAGE, type TokenUsage } from '../../src/core/usage.ts';
import { check, count, isBetween, type Check, type Evidence } from './check.ts';
import type { MetricsPage } from './metrics-page.ts';
import { addTokens, noTokens, TOKEN_KINDS, type TokenKind, type Tokens } from './tokens.ts';

const CENT = 0.01;

export function tokenChecks(evidence: Evidence): Check[] {
  return [
    ledgerCheck(evidence),
    ...TOKEN_KINDS.map((kind) => tokenCheck(kind, evidence)),
    exchangeCheck(evidence),
    costCheck(evidence),
  ];
}

/** That the books missed no call: else what follows would prove nothing. */
function ledgerCheck({ books, totals }: Evidence): Check {
  const ledger = noTokens();
  const own = noTokens();
  let differences = 0;
  for (const [workspace, models] of Object.entries(totals)) {
    for (const [model, bill] of Object.entries(models)) {
      const billed = {
        uncached: bill.uncachedTokens,
        cache_read: bill.readTokens,
        cache_write_5m: bill.write5mTokens,
        cache_write_1h: bill.write1hTokens,
        output: bill.outputTokens,
      };
      const counted = books.workspaces.get(`${workspace}/${model.replace(/-\d{8}$/, '')}`) ?? noTokens();
      if (TOKEN_KINDS.some((kind) => billed[kind] !== counted[kind])) differences += 1;
      addTokens(ledger, billed);
      addTokens(own, counted);
    }
  }
  return check("the calls' bills add up to the simulator's ledger", differences === 0, [
    `${count(sumOf(own))} of ${count(sumOf(ledger))} tokens`,
    `${books.calls} calls`,
  ]);
}

function tokenCheck(kind: TokenKind, { books, page }: Evidence): Check {
  const sums = { billed: 0, low: 0, high: 0, ours: 0 };
  const off: string[] = [];
  let [exact, rows] = [0, 0];
  for (const [tenant, { models }] of books.tenants) {
    for (const [model, { billed, knowable }] of models) {
      rows += 1;
      if (knowable.low[kind] === knowable.high[kind]) exact += 1;
      const ours = meteredOf(page, tenant, model)[kind];
      sums.billed += billed[kind];
      sums.low += knowable.low[kind];
      sums.high += knowable.high[kind];
      sums.ours += ours;
      if (isBetween(ours, knowable.low[kind], knowable.high[kind])) continue;
      off.push(`${tenant}/${model}: ${ours} for ${rangeText(knowable.low[kind], knowable.high[kind])}`);
    }
  }
  return check(`${kind} tokens agree, by tenant and model`, off.length === 0, [
    `billed ${count(sums.billed)}`,
    `knowable ${rangeText(sums.low, sums.high)}`,
    `metered ${count(sums.ours)}`,
    `exactly for ${exact} of ${rows}`,
    ...off.slice(0, 3),
  ]);
}

function exchangeCheck({ books }: Evidence): Check {
  return check('each exchange is recorded with the tokens of its calls', books.mismatches === 0, [
    `${books.mismatches} are not`,
    ...books.examples.map((example) => `\n      ${example}`),
  ]);
}

/** A price is a sum over tokens as long as no request is priced as a whole: none here is fast, in the US, or that long. */
function costCheck({ books, page }: Evidence): Check {
  const off: string[] = [];
  let totalUsd = 0;
  for (const [tenant, { models }] of books.tenants) {
    for (const model of models.keys()) {
      const tokens = meteredOf(page, tenant, model);
      const usd = usdOf(model, tokens);
      totalUsd += usd;
      const ours = page.sum('slipstream_cost_usd_total', { tenant, model });
      if (Math.abs(usd - ours) >= CENT) off.push(`${tenant}/${model}: $${ours.toFixed(4)} for $${usd.toFixed(4)}`);
    }
  }
  return check('cost is tokens times prices, to the cent', off.length === 0, [
    `$${totalUsd.toFixed(4)}`,
    ...off.slice(0, 3),
  ]);
}

function meteredOf(page: MetricsPage, tenant: string, model: string): Tokens {
  const input = (kind: string) => page.sum('slipstream_input_tokens_total', { tenant, model, kind });
  return {
    uncached: input('uncached'),
    cache_read: input('cache_read'),
    cache_write_5m: input('cache_write_5m'),
    cache_write_1h: input('cache_write_1h'),
    output: page.sum('slipstream_output_tokens_total', { tenant, model }),
  };
}

/** Token by token: a sum priced at once would look like one very long prompt. */
function usdOf(model: string, tokens: Tokens): number {
  const perToken = (usage: Partial<TokenUsage>): number => costOf(model, { ...NO_USAGE, ...usage })?.usd ?? 0;
  return (
    tokens.uncached * perToken({ uncachedInput: 1 }) +
    tokens.cache_read * perToken({ cacheRead: 1 }) +
    tokens.cache_write_5m * perToken({ cacheWrite5m: 1 }) +
    tokens.cache_write_1h * perToken({ cacheWrite1h: 1 }) +
    tokens.output * perToken({ output: 1 })
  );
}

function sumOf(tokens: Tokens): number {
  return TOKEN_KINDS.reduce((sum, kind) => sum + tokens[kind], 0);
}

function rangeText(low: number, high: number): string {
  return low === high ? `exactly ${count(low)}` : `${count(low)}–${count(high)}`;
}
