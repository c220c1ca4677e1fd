import { periodStartMs } from '../core/tenant.ts';
import type { ExchangeRecord } from '../pipeline/exchange-record.ts';
import type { PromptMemory } from '../prompt/prompt-memory.ts';
import { createConsoleBoard } from './console-board.ts';
import type { ConsoleSource } from './console-source.ts';
import { finishedExchange } from './finished-exchange.ts';
import { keyedIds, prefixForestOf } from './prefix-forest.ts';
import { processReport, type ProcessParts } from './process-report.ts';
import { savingsCsv } from './savings-csv.ts';
import { snapshotOf } from './snapshot.ts';
import { volatileAdviceOf } from './volatile-advice.ts';

/** The console of one process: its board, and one report, made at the moment of asking. */
export interface ProcessConsole {
  readonly source: ConsoleSource;
  record(record: ExchangeRecord): void;
}

export interface ProcessConsoleParts extends ProcessParts {
  readonly memory: Pick<PromptMemory, 'index' | 'prefixes' | 'volatile'>;
  readonly sha256Hex: (text: string) => string;
}

export function createProcessConsole(parts: ProcessConsoleParts): ProcessConsole {
  const { clock, engine, memory } = parts;
  const board = createConsoleBoard(clock.wallMs());
  const idOf = keyedIds(crypto.randomUUID(), parts.sha256Hex); // the ids of prefixes last as long as the process
  const source: ConsoleSource = {
    snapshot: () =>
      snapshotOf(board, [processReport(parts)], {
        atMs: clock.wallMs(),
        scope: 'process',
        spentUsd: (tenant, { per }) => engine.ledger.spentUsd(tenant, periodStartMs(per, clock.wallMs())),
      }),
    history: async () => board.history(clock.wallMs()),
    requests: async (query) => board.requests(query),
    request: async (id) => board.request(id),
    prefixes: async () => prefixForestOf(memory, { nowMs: clock.nowMs(), wallMs: clock.wallMs(), idOf }),
    volatilePrefixes: async () => volatileAdviceOf(memory.volatile.found(clock.nowMs())),
    savings: async (by) => board.savings(by, clock.wallMs()),
    savingsCsv: () => savingsCsv(board.savingsEntries(clock.wallMs()), clock),
  };
  return {
    source,
    record: (record) => board.add(finishedExchange(record, clock.wallMs() - clock.nowMs())),
  };
}
