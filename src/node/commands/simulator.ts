import { DEFAULT_TIMING } from '../../simulator/settings.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import { curlLine } from '../demo/curl-line.ts';
import { serveSimulator } from '../demo/serve-simulator.ts';
import { stopSignal } from '../demo/stop-signal.ts';
import { systemClock } from '../system-clock.ts';

export interface SimulatorCommandOptions {
  readonly port: number;
  readonly seed: number;
}

/** `slipstream simulator`: the Claude simulator alone, until SIGTERM or SIGINT. Resolves with the exit code. */
export async function simulator({ port, seed }: SimulatorCommandOptions): Promise<number> {
  const stop = stopSignal();
  const { fetch } = createSimulator({ clock: systemClock, seed, timing: DEFAULT_TIMING });
  const server = await serveSimulator(fetch, port);
  process.stdout.write(`${introduction(server.baseUrl, seed)}\n`);
  await stop.received;
  await server.close();
  stop.forget();
  return 0;
}

function introduction(baseUrl: string, seed: number): string {
  return `The Claude simulator listens on ${baseUrl} (seed ${seed}; any key does). Try it:

${curlLine(baseUrl, 'any-key', process.env)}

Faults, for one request by a header, for those to come by the control endpoint:
  -H 'x-simulator-fault: 529'                       overloaded; also 429;retry-after=2
  -H 'x-simulator-fault: error-in-stream;after=3'   an error event after three content events
  -H 'x-simulator-fault: cut;after=3'               the connection breaks; stall;after=3;ms=20000 falls silent
  curl ${baseUrl}/_simulator/faults -d '{"fault":"529","rate":0.2}'    a fifth of all calls
  curl -X DELETE ${baseUrl}/_simulator/faults                          none any more
  curl ${baseUrl}/_simulator/state                                     what was billed, what is open
All of them: docs/simulator.md. Ctrl-C ends it.
`;
}
