// The gateway under soak: the one `slipstream start` makes, with a clock that counts its timers and a door for the questions
// of gateway-messages.ts. Run as a child of the soak; ends with it.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseConfig } from '../../src/config/parse-config.ts';
import { renderProblems } from '../../src/config/render-problems.ts';
import type { Clock } from '../../src/core/clock.ts';
import { createGateway, sha256Hex } from '../../src/node/gateway.ts';
import { serveApp } from '../../src/node/serve.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { serveRunner } from '../worker-side.ts';
import { fastClock } from './fast-clock.ts';
import type { GatewayAnswer, GatewayQuestion, MemoryFigures, RecordFacts } from './gateway-messages.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let timers = 0;
let records: RecordFacts[] = [];
let internalErrors: string[] = [];

serveRunner<GatewayQuestion, GatewayAnswer>(async (question) => {
  if (question.kind === 'listen') return { kind: 'listen', port: await listen(question.settings) };
  if (question.kind === 'timers') return { kind: 'timers', timers };
  return question.kind === 'memory' ? { kind: 'memory', memory: measure() } : takeRecords();
});

function takeRecords(): GatewayAnswer {
  const answer: GatewayAnswer = { kind: 'records', records, internalErrors };
  records = [];
  internalErrors = [];
  return answer;
}

async function listen(settings: string): Promise<number> {
  const parsed = parseConfig(settings, {}, { sha256Hex });
  if (parsed.kind === 'invalid') throw new Error(renderProblems(parsed.problems));
  const { config, secrets } = parsed;
  const gateway = createGateway({
    config,
    secrets,
    clock: counting(fastClock(systemClock)),
    onRecord: ({ id, tenant, status, end, usage }) => void records.push({ id, tenant, status, end, usage }),
    onInternalError: (error) =>
      void internalErrors.push(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  });
  const { headersTimeoutMs, bodyBytes } = config.limits;
  const server = await serveApp(gateway.app, { host: '127.0.0.1', port: 0, headersTimeoutMs, bodyBytes });
  return server.port;
}

/** Timers set through the clock port: all of the gateway's own. */
function counting(clock: Clock): Clock {
  return {
    ...clock,
    after(delayMs, run) {
      let isSet = true;
      timers += 1;
      const unset = (): void => {
        if (isSet) timers -= 1;
        isSet = false;
      };
      const cancel = clock.after(delayMs, () => {
        unset();
        run();
      });
      return () => {
        unset();
        cancel();
      };
    },
  };
}

/** Twice: what finalizers let go of in the first round goes in the second. */
function measure(): MemoryFigures {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, externalBytes: external, rssBytes: rss };
}
