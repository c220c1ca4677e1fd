import type { HttpExchange } from './exchange.ts';

/**
 * The exchanges that are running now, for a process that wants to end. Draining refuses nobody: what arrives is still
 * served, and whoever balances between processes has been told by `/readyz`. When time is up, all that is left is stopped.
 */
export interface OpenExchanges {
  readonly count: number;
  readonly isDraining: boolean;
  /** Aborted by `startDraining`, for answers that have no end of their own. */
  readonly draining: AbortSignal;
  /** Aborted by `stopAll`. */
  readonly stopped: AbortSignal;
  /** The returned function takes it out again. */
  add(exchange: Pick<HttpExchange, 'stop'>): () => void;
  startDraining(): void;
  /** Ends every exchange now, and every one that is still to come; returns how many there were. */
  stopAll(): number;
}

export function createOpenExchanges(): OpenExchanges {
  const open = new Set<Pick<HttpExchange, 'stop'>>();
  const draining = new AbortController();
  const stopping = new AbortController();
  let state: 'open' | 'draining' | 'stopped' = 'open';
  return {
    get count() {
      return open.size;
    },
    get isDraining() {
      return state !== 'open';
    },
    draining: draining.signal,
    stopped: stopping.signal,
    add(exchange) {
      open.add(exchange);
      if (state === 'stopped') exchange.stop('draining');
      return () => void open.delete(exchange);
    },
    startDraining() {
      if (state === 'open') state = 'draining';
      draining.abort();
    },
    stopAll() {
      state = 'stopped';
      draining.abort();
      const count = open.size;
      for (const exchange of open) exchange.stop('draining');
      stopping.abort();
      return count;
    },
  };
}
