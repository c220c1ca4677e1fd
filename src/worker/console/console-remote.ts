import type { ConsoleSource } from '../../console/console-source.ts';
import type { PrefixForest, VolatileAdvice } from '../../console/contract.ts';
import type { FinishedExchange } from '../../console/finished-exchange.ts';
import type { ProcessReport } from '../../console/process-report.ts';

/** What isolates and the console's hub say to each other: plain data, bounded, and never a word of a prompt. */
export interface RemoteConsoleHub extends ConsoleSource {
  /** The answer is what the hub would like to hear from now on. */
  tell(word: IsolateWord): Promise<Interest>;
}

/**
 * Of what is told and stored; it is raised when its shape changes. While a deployment is under way, isolates of the version
 * before talk to a hub of the one after: what they say is passed over.
 */
export const CONSOLE_VERSION = 1;

export interface IsolateWord {
  readonly version: typeof CONSOLE_VERSION;
  /** Which isolate says it; what it said before is out of date. */
  readonly isolate: string;
  /** Since its last word. One that is sent again is known by its id. */
  readonly finished: readonly FinishedExchange[];
  readonly report: ProcessReport;
  /** null: as it was when it was last told. */
  readonly prompts: PromptWord | null;
}

/** What the isolate's traffic has taught about prompts. */
export interface PromptWord {
  readonly prefixes: PrefixForest;
  readonly volatilePrefixes: readonly VolatileAdvice[];
}

/** What somebody who looks at the console would miss. */
export interface Interest {
  readonly inExchanges: boolean;
  readonly inPrompts: boolean;
}

export const NO_INTEREST: Interest = { inExchanges: false, inPrompts: false };
