// The command line of the cache benchmark. A wrong one ends the run before anything is read.

import { parseArgs } from 'node:util';
import type { TraceClock } from './trace.ts';

export interface CacheBenchOptions {
  readonly traces: readonly string[];
  readonly clock: TraceClock;
  readonly jsonFile: string | undefined;
  readonly plansFile: string | undefined;
  readonly read: number;
  readonly minimumTokens: number;
  /** Take multipliers and minimum of the model each request names, where the price list knows it. */
  readonly byModel: boolean;
  readonly readable: 'conversation' | 'ttft';
  readonly positions: 'turns' | 'blocks';
  /** Which readings of what a 1h write keeps alive; plans are written for the first. */
  readonly prolong: readonly boolean[];
  readonly domains: number;
  /** Which fixed placement the routing table is about; Slipstream's own where it is left out or names none. */
  readonly routed: string | undefined;
  /** How long a request counts half as load of its domain, which routing keeps within bounds. */
  readonly loadHalfLifeMs: number;
  readonly only: string | undefined;
  readonly maxPositions: number;
}

export type ParsedCacheOptions =
  | { readonly kind: 'run'; readonly options: CacheBenchOptions }
  | { readonly kind: 'stop'; readonly exitCode: number; readonly message: string };

export const USAGE = `npm run bench:cache -- TRACE… [options]
  TRACE              .jsonl or .jsonl.gz: a block trace or a trace of Messages bodies
  --json FILE        every figure as JSON
  --plans FILE       one line per request: what Slipstream placed and what it was billed (--only picks another policy)
  --clock t|t_sparse|t_batch   which times of a body trace
  --read N           price of a read as a share of the input price (0.1)
  --minimum N        fewest tokens of a cacheable prefix (1024)
  --models facts|plain         facts: multipliers and minimum of the model each request names (plain)
  --readable conversation|ttft an answer has begun when its own conversation goes on, at the latest; or by the TTFT alone
  --positions turns|blocks     what the look-back counts in a block trace (turns)
  --prolong both|no|yes        does a 1h write keep a 5m prefix below it alive; plans are those of the first reading
  --domains N        cache domains for the routing table (4); 0 leaves it out
  --routed TEXT      the routing table of the first fixed policy whose name contains it, instead of Slipstream's
  --load-half-life S seconds after which a request counts half as load of its domain (600)
  --max-positions N  bound of the index (1000000)
  --only TEXT        only policies whose name contains it`;

const FLAGS = {
  json: { type: 'string' },
  plans: { type: 'string' },
  clock: { type: 'string', default: 't' },
  read: { type: 'string', default: '0.1' },
  minimum: { type: 'string', default: '1024' },
  models: { type: 'string', default: 'plain' },
  readable: { type: 'string', default: 'conversation' },
  positions: { type: 'string', default: 'turns' },
  prolong: { type: 'string', default: 'both' },
  domains: { type: 'string', default: '4' },
  routed: { type: 'string' },
  'load-half-life': { type: 'string', default: '600' },
  'max-positions': { type: 'string', default: '1000000' },
  only: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const READINGS = { both: [false, true], no: [false], yes: [true] } as const;

export function parseCacheOptions(args: readonly string[]): ParsedCacheOptions {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: FLAGS, allowPositionals: true });
    if (values.help) return { kind: 'stop', exitCode: 0, message: USAGE };
    if (positionals.length === 0) throw new Error('no trace given');
    return {
      kind: 'run',
      options: {
        traces: positionals,
        clock: oneOf('--clock', values.clock, ['t', 't_sparse', 't_batch'] as const),
        jsonFile: values.json,
        plansFile: values.plans,
        read: number('--read', values.read),
        minimumTokens: number('--minimum', values.minimum),
        byModel: oneOf('--models', values.models, ['facts', 'plain'] as const) === 'facts',
        readable: oneOf('--readable', values.readable, ['conversation', 'ttft'] as const),
        positions: oneOf('--positions', values.positions, ['turns', 'blocks'] as const),
        prolong: READINGS[oneOf('--prolong', values.prolong, ['both', 'no', 'yes'] as const)],
        domains: number('--domains', values.domains),
        maxPositions: number('--max-positions', values['max-positions']),
        routed: values.routed,
        loadHalfLifeMs: number('--load-half-life', values['load-half-life']) * 1000,
        only: values.only,
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'stop', exitCode: 2, message: `${reason}\n\n${USAGE}` };
  }
}

function number(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new Error(`${flag} wants a number, not "${text}"`);
  return value;
}

function oneOf<Value extends string>(flag: string, text: string, allowed: readonly Value[]): Value {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new Error(`${flag} is one of ${allowed.join(', ')}, not "${text}"`);
  return found;
}
