import type { ExchangeNotes, ExchangeTimings, GatewayRequest } from '../core/exchange.ts';
import type { Context } from './service.ts';

/**
 * The exchanges that are running now, for whoever looks. Nothing is written here while one runs: what is to be seen of it
 * is read off the notes that its layers leave for their own purposes. No request is held, hence no body and no prompt.
 */
export interface LiveExchanges {
  readonly count: number;
  /** The returned function takes it out again, however it ended. */
  enter(request: GatewayRequest, context: Context): () => void;
  /** In the order of their arrival. */
  list(most: number): readonly LiveEntry[];
}

export interface LiveEntry {
  readonly id: string;
  readonly tenant: string;
  readonly operation: GatewayRequest['operation'];
  /** As the request names it. */
  readonly model: string | null;
  readonly receivedAtMs: number;
  readonly timings: Readonly<ExchangeTimings>;
  readonly notes: Readonly<ExchangeNotes>;
}

export function createLiveExchanges(): LiveExchanges {
  const entries = new Set<LiveEntry>();
  return {
    get count() {
      return entries.size;
    },
    enter({ id, operation, model, receivedAtMs }, { tenant, timings, notes }) {
      const entry: LiveEntry = { id, tenant: tenant.id, operation, model, receivedAtMs, timings, notes };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    list: (most) => [...entries].slice(0, most),
  };
}
