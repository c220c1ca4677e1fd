import Anthropic from '@anthropic-ai/sdk';
import type { Clock } from '../../core/clock.ts';
import { REQUEST_ID_HEADER, type RetryWatch } from './retry-watch.ts';
import { createWriter, type Writer } from './words.ts';

/**
 * What a sample app works with: the SDK pointed at the gateway, texts, and time to think. `stop` asks for nothing new and
 * ends every pause; `cut` ends what is still being answered. A failure that neither explains is told, once per request.
 */
export interface Desk {
  readonly isStopping: boolean;
  ask(question: Question, simulatorScript?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Ends early when the demo stops. */
  pause(ms: number): Promise<void>;
  /** The same texts for the same number; one for each worker, so that their order in time does not matter. */
  writer(worker: number): Writer;
}

export type Question = Anthropic.MessageStreamParams;

export type Answer =
  { readonly kind: 'answered'; readonly content: Anthropic.ContentBlock[] } | { readonly kind: 'none' };

export interface DeskOptions {
  readonly clock: Clock;
  readonly baseUrl: string;
  readonly tenant: string;
  readonly key: string;
  readonly seed: number;
  readonly retries: RetryWatch;
  readonly stop: AbortSignal;
  readonly cut: AbortSignal;
  readonly onFailure: (tenant: string, error: unknown) => void;
}

/** An app whose request failed waits this long, so that a gateway in trouble is not asked in a tight loop. */
const PAUSE_AFTER_FAILURE_MS = 1_000;

export function createDesk(options: DeskOptions): Desk {
  const { clock, tenant, retries, stop, cut } = options;
  const client = new Anthropic({
    baseURL: options.baseUrl,
    apiKey: options.key,
    authToken: null,
    maxRetries: 0, // a failure that the gateway lets through is to be seen
    logLevel: 'off',
    openTelemetry: false,
  });

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (stop.aborted) return resolve();
      const wake = (): void => {
        cancel();
        stop.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = clock.after(ms, wake);
      stop.addEventListener('abort', wake);
    });

  return {
    pause,
    get isStopping() {
      return stop.aborted;
    },
    writer: (worker) => createWriter(options.seed * 1_000 + worker),
    async ask(question, simulatorScript = {}) {
      if (stop.aborted) return { kind: 'none' };
      const request = retries.begin(tenant);
      const headers = { ...simulatorScript, [REQUEST_ID_HEADER]: request.id };
      try {
        const { content } = await client.messages.stream(question, { headers, signal: cut }).finalMessage();
        return { kind: 'answered', content };
      } catch (error) {
        if (cut.aborted) return { kind: 'none' };
        options.onFailure(tenant, error);
        await pause(PAUSE_AFTER_FAILURE_MS);
        return { kind: 'none' };
      } finally {
        request.end();
      }
    },
  };
}
