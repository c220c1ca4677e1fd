// The soak's end of its gateway's process. A worker takes one question at a time, so questions wait for their turn here.

import { startWorker } from '../worker.ts';
import type { GatewayAnswer, GatewayQuestion } from './gateway-messages.ts';

type AnswerTo<Kind extends GatewayQuestion['kind']> = Extract<GatewayAnswer, { kind: Kind }>;

export interface GatewayChild {
  readonly port: number;
  ask<Kind extends PlainKind>(kind: Kind): Promise<AnswerTo<Kind>>;
  /** The page as a scraper gets it. */
  metricsPage(): Promise<string>;
  stop(): Promise<void>;
}

type PlainKind = Exclude<GatewayQuestion['kind'], 'listen'>;

export async function startGatewayChild(settings: string): Promise<GatewayChild> {
  const file = new URL('./gateway-process.ts', import.meta.url);
  const worker = startWorker<GatewayQuestion, GatewayAnswer>(file, undefined);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (question: GatewayQuestion): Promise<GatewayAnswer> => {
    const answer = last.then(() => worker.ask(question));
    last = answer.catch(() => undefined);
    return answer;
  };
  const { port } = (await inTurn({ kind: 'listen', settings })) as AnswerTo<'listen'>;
  return {
    port,
    ask: async <Kind extends PlainKind>(kind: Kind) => (await inTurn({ kind })) as AnswerTo<Kind>,
    metricsPage: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    stop: () => worker.stop(),
  };
}
