import type { Clock } from '../../core/clock.ts';
import { agent } from './apps/agent.ts';
import { chat } from './apps/chat.ts';
import { documentQuestions } from './apps/document-questions.ts';
import { fanOut } from './apps/fan-out.ts';
import { greedy } from './apps/greedy.ts';
import { quiet } from './apps/quiet.ts';
import { createDesk, type Desk } from './desk.ts';
import type { RetryWatch } from './retry-watch.ts';
import { SAMPLE_TENANTS, type SampleTenantId } from './sample-tenants.ts';

/** All sample apps at once. Invariant: when `finished` resolves, none of them has a request in flight or a timer set. */
export interface Traffic {
  readonly finished: Promise<void>;
  /** Nothing new is asked; what is being answered goes on. */
  stop(): void;
  /** Ends what is still being answered. */
  cut(): void;
}

export interface TrafficOptions {
  readonly clock: Clock;
  readonly baseUrl: string;
  readonly retries: RetryWatch;
  readonly onFailure: (tenant: string, error: unknown) => void;
}

const APPS: Readonly<Record<SampleTenantId, (desk: Desk) => Promise<void>>> = {
  chat,
  agent,
  rag: documentQuestions,
  batch: fanOut,
  greedy,
  quiet,
};

export function startTraffic({ clock, baseUrl, retries, onFailure }: TrafficOptions): Traffic {
  const stop = new AbortController();
  const cut = new AbortController();
  const running = SAMPLE_TENANTS.map(async ({ id, key }, index) => {
    const ends = { stop: stop.signal, cut: cut.signal };
    const desk = createDesk({ clock, baseUrl, tenant: id, key, seed: index + 1, retries, onFailure, ...ends });
    await APPS[id](desk);
  });
  return {
    finished: Promise.all(running).then(() => undefined),
    stop: () => stop.abort(),
    cut() {
      stop.abort();
      cut.abort();
    },
  };
}
