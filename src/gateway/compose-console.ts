import type { Config } from '../config/config.ts';
import type { ProcessConsole, ProcessConsoleParts } from '../console/process-console.ts';
import type { LivePace } from '../http/console-live.ts';
import type { ConsoleAssets } from '../http/console-page.ts';

/** How a runtime shows the operator what goes on. */
export interface ConsolePlatform {
  readonly create: (parts: ProcessConsoleParts) => ProcessConsole;
  readonly assets: ConsoleAssets;
  readonly pace: LivePace;
}

type Ports = Omit<ProcessConsoleParts, 'mode' | 'ceilingOf'>;

/** @param config asked for each time, because a reload may change it. */
export function composeConsole({ create }: ConsolePlatform, ports: Ports, config: () => Config): ProcessConsole {
  const ceilings = () => new Map(config().upstreams.map(({ id, maxConcurrency }) => [id, maxConcurrency]));
  return create({ ...ports, mode: () => config().mode, ceilingOf: (id) => ceilings().get(id) ?? 0 });
}
