import type { Clock } from '../../core/clock.ts';
import type { ConsoleSource } from '../../console/console-source.ts';
import type { ConsolePlatform } from '../../gateway/compose-console.ts';
import type { RemoteConsoleHub } from './console-remote.ts';
import { createConsoleReporter, type ConsoleReporter } from './console-reporter.ts';

/** The console as an isolate has it: it tells the hub what goes on here and asks it for all figures. */
export interface IsolateConsole {
  readonly create: ConsolePlatform['create'];
  /** To be told of every exchange when it begins. */
  readonly accompany: ConsoleReporter['accompany'];
}

export interface IsolateConsoleOptions {
  readonly clock: Clock;
  /** Without a token nobody can look: then the hub is told nothing at all. */
  readonly isOn: boolean;
  /** Makes a stub. */
  readonly hub: () => RemoteConsoleHub;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly newName: () => string;
}

export function createIsolateConsole(options: IsolateConsoleOptions): IsolateConsole {
  const { isOn, hub } = options;
  let reporter: ConsoleReporter | null = null;
  return {
    create(parts) {
      const own = createConsoleReporter({ ...options, parts });
      reporter = isOn ? own : null;
      return { source: createHubSource(own, hub), record: (record) => reporter?.record(record) };
    },
    accompany: (exchange) => reporter?.accompany(exchange),
  };
}

/** What this isolate knows is told before anything is asked: whoever looks sees at least what is here as it is now. */
function createHubSource({ report }: Pick<ConsoleReporter, 'report'>, hub: () => RemoteConsoleHub): ConsoleSource {
  const ask = async <Answer>(
    call: (source: ConsoleSource) => Promise<Answer>,
    told: 'exchanges' | 'prompts too' = 'exchanges',
  ): Promise<Answer> => {
    await report(told);
    return call(hub());
  };
  return {
    snapshot: () => ask((source) => source.snapshot()),
    history: () => ask((source) => source.history()),
    requests: (query) => ask((source) => source.requests(query)),
    request: (id) => ask((source) => source.request(id)),
    prefixes: () => ask((source) => source.prefixes(), 'prompts too'),
    volatilePrefixes: () => ask((source) => source.volatilePrefixes(), 'prompts too'),
    savings: (by) => ask((source) => source.savings(by)),
    savingsCsv: () => ask((source) => source.savingsCsv()),
  };
}
