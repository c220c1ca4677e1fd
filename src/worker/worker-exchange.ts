import type { Clock } from '../core/clock.ts';
import { createFetchExchange } from '../http/fetch-exchange.ts';
import type { ExchangeOf } from '../http/exchange.ts';
import { readWholeBody } from './whole-body.ts';

/**
 * The exchange of Workers is that of the Fetch API, thriftier with memory and with one promise more: the request's context
 * lives until its exchange is over. Without that it would end when the handler returns the head of the answer, and with it
 * every lease that the exchange holds. After a caller has left the runtime allows 30 s more (docs: Workers, waitUntil).
 */
export function createWorkerExchange(clock: Clock, accompany: (exchange: Promise<unknown>) => void): ExchangeOf {
  const exchangeOf = createFetchExchange(clock);
  return (context) => {
    const exchange = exchangeOf(context);
    return {
      ...exchange,
      readBody: (limits) => readWholeBody(context.req.raw, limits, clock),
      respond: (run) =>
        exchange.respond((reply) => {
          const outcome = run(reply);
          context.executionCtx.waitUntil(outcome);
          accompany(outcome);
          return outcome;
        }),
    };
  };
}
