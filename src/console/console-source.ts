import type { History, PrefixForest, RequestRow, RequestStory, SavingsReport, Snapshot, VolatileAdvice } from './contract.ts'; // prettier-ignore
import type { RequestQuery } from './request-query.ts';

/** Port: where the console's figures come from: this process, or an object that many isolates report to. */
export interface ConsoleSource {
  snapshot(): Promise<Snapshot>;
  history(): Promise<History>;
  /** null: the request of `before` is not known any more. */
  requests(query: RequestQuery): Promise<readonly RequestRow[] | null>;
  /** null: it is too old, was another process's, or never was. */
  request(id: string): Promise<RequestStory | null>;
  prefixes(): Promise<PrefixForest>;
  volatilePrefixes(): Promise<readonly VolatileAdvice[]>;
  savings(by: SavingsReport['by']): Promise<SavingsReport>;
  savingsCsv(): Promise<string>;
}
