// The load: workers that ask, hear out and pause, for each tenant as many as it has. It can be paused until nothing is
// under way, so that what the gateway still holds then is a leak.

import { Agent } from 'node:http';
import { createWriter } from '../../src/node/demo/words.ts';
import { REQUEST_ID_HEADER } from '../../src/node/demo/retry-watch.ts';
import { ask, type Seen } from './ask.ts';
import { keyOf } from './settings.ts';
import type { Move, SoakTenant } from './tenants.ts';

/** One request of the load, when it is over for the load. */
export interface Asked {
  /** The name the simulator's door knows it by. */
  readonly id: string;
  readonly tenant: SoakTenant;
  readonly model: string;
  readonly move: Move;
  readonly seen: Seen;
}

export interface Load {
  readonly underWay: number;
  /** Requests that are over. */
  readonly asked: number;
  resume(): void;
  /** Resolves when the last answer has been heard out. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

export interface LoadOptions {
  readonly port: number;
  readonly tenants: readonly SoakTenant[];
  readonly onAsked: (asked: Asked) => void;
}

export function startLoad({ port, tenants, onAsked }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true });
  const gate = createGate();
  let isOver = false;
  let underWay = 0;
  let asked = 0;
  const workers = tenants.flatMap((tenant, index) =>
    Array.from({ length: tenant.workers }, async (_, worker) => {
      const dice = createWriter(1_000 * (index + 1) + worker);
      for (let turn = 0; ; turn++) {
        await gate.passed();
        if (isOver) return;
        underWay += 1;
        onAsked(await askOnce(tenant, `${tenant.id}-${worker}-${turn}`, dice));
        underWay -= 1;
        asked += 1;
        await gate.pauseFor(dice.between(...tenant.pauseMs));
      }
    }),
  );

  async function askOnce(tenant: SoakTenant, id: string, dice: ReturnType<typeof createWriter>): Promise<Asked> {
    const move = tenant.move(dice);
    const question = tenant.questions[dice.between(0, tenant.questions.length - 1)];
    if (!question) throw new Error(`${tenant.id} has nothing to ask`);
    const { max_tokens, ...counted } = question;
    const text = move.operation === 'messages' ? { ...counted, max_tokens, stream: move.isStream } : counted;
    const body = Buffer.from(JSON.stringify(text));
    const headers = {
      'content-type': 'application/json',
      'content-length': String(body.length),
      'anthropic-version': '2023-06-01',
      'x-api-key': keyOf(tenant.id),
      [REQUEST_ID_HEADER]: id,
      ...move.script,
    };
    const path = move.operation === 'messages' ? '/v1/messages' : '/v1/messages/count_tokens';
    const seen = await ask({ port, agent, path, headers, body, manner: move.manner });
    return { id, tenant, model: question.model, move, seen };
  }

  const isUnderWay = (): boolean => underWay > 0;
  return {
    get underWay() {
      return underWay;
    },
    get asked() {
      return asked;
    },
    resume: gate.open,
    async pause() {
      gate.close();
      while (isUnderWay()) await gate.pauseFor(10);
    },
    async close() {
      isOver = true;
      gate.open();
      await Promise.all(workers);
      agent.destroy();
    },
  };
}

/** Closed, it holds whoever comes; pauses end when it opens again or their time is up, whichever is later. */
function createGate() {
  let opened = Promise.withResolvers<void>();
  return {
    passed: () => opened.promise,
    pauseFor: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    open: () => opened.resolve(),
    close(): void {
      opened = Promise.withResolvers<void>();
    },
  };
}
