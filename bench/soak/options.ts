// The command line of the soak. A wrong one ends the run before anything is started.

import { parseArgs } from 'node:util';

export interface SoakCommand {
  readonly seconds: number;
  readonly faultShare: number;
  readonly seed: number;
  readonly jsonFile: string | undefined;
}

export type ParsedCommand =
  | { readonly kind: 'run'; readonly command: SoakCommand }
  | { readonly kind: 'stop'; readonly exitCode: number; readonly message: string };

const USAGE = `npm run soak -- [options]
  --minutes N     how long the load runs, up to 120 (4); under 2.1 the heap is not judged
  --faults N      percent of the calls upstream that go wrong (5)
  --seed N        of the simulator (1)
  --json FILE     where the figures go (bench/results/soak-<date>.json)`;

const FLAGS = {
  minutes: { type: 'string', default: '4' },
  faults: { type: 'string', default: '5' },
  seed: { type: 'string', default: '1' },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const LONGEST_MINUTES = 120;
const SHORTEST_MINUTES = 0.1;

export function parseCommand(args: readonly string[]): ParsedCommand {
  try {
    const { values } = parseArgs({ args: [...args], options: FLAGS, allowPositionals: false });
    if (values.help) return { kind: 'stop', exitCode: 0, message: USAGE };
    const command = {
      seconds: number('--minutes', values.minutes, SHORTEST_MINUTES, LONGEST_MINUTES) * 60,
      faultShare: number('--faults', values.faults, 0, 50) / 100,
      seed: number('--seed', values.seed, 0, Number.MAX_SAFE_INTEGER),
      jsonFile: values.json,
    };
    return { kind: 'run', command };
  } catch (error) {
    return { kind: 'stop', exitCode: 2, message: `${(error as Error).message}\n\n${USAGE}` };
  }
}

function number(flag: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(low <= value && value <= high)) {
    throw new Error(`${flag} wants a number from ${low} to ${high}, not "${text}"`);
  }
  return value;
}
