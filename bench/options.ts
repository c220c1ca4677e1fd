// The command line. A wrong one ends the run before anything is started.

import { parseArgs } from 'node:util';

import type { Shape } from './cells.ts';

type Part = 'cpu' | 'first-byte' | 'streams' | 'burst';

export interface Options {
  /** Empty: all proxies. */
  readonly only: readonly string[];
  readonly parts: readonly Part[];
  readonly shapes: readonly Shape[];
  readonly rounds: number;
  readonly streamRounds: number;
  /** JSON calls with 2 KB per proxy and round; the other cells take a share of it. */
  readonly requests: number;
  readonly firstByteRequests: number;
  readonly connections: number;
  readonly paceMs: number;
  readonly streams: readonly number[];
  readonly watchMs: number;
  readonly burstStreams: number;
  readonly wantsPin: boolean;
  readonly jsonFile: string | undefined;
}

export type ParsedOptions = { kind: 'run'; options: Options } | { kind: 'stop'; exitCode: number; message: string };

const PARTS: readonly Part[] = ['cpu', 'first-byte', 'streams', 'burst'];
const SHAPES: readonly Shape[] = ['json', 'sse', 'sse-burst'];

const USAGE = `node bench/run.ts [options]
  --quick                 2 rounds, fewer requests, shorter watch
  --only a,b              these proxies: slipstream, pipe, nginx, haproxy, portkey
  --skip part,part        leave out: cpu, first-byte, streams, burst
  --rounds N              interleaved rounds (5); --stream-rounds N for open streams (3)
  --requests N            2 KB JSON calls per proxy and round (2000); other cells take a share
  --first-byte-requests N calls per cell and round at low load (200; half of it for 1 MB)
  --shapes a,b            json, sse, sse-burst (json,sse)
  --connections N         calls at the same time (16)
  --pace-ms N             time between two events of a stream in the CPU part (2)
  --streams N,N           open streams (1000,5000); --burst-streams N (3000)
  --watch-ms N            how long open streams are watched (10000)
  --no-pin                let the scheduler place the processes
  --json FILE             where the JSON goes (bench/results/<date>.json)`;

export function parseOptions(args: readonly string[], knownProxies: readonly string[]): ParsedOptions {
  try {
    const { values } = parseArgs({ args: [...args], options: FLAGS, allowPositionals: false });
    if (values.help) return { kind: 'stop', exitCode: 0, message: USAGE };
    const quick = values.quick;
    const skip = listOf('--skip', values.skip, PARTS);
    return {
      kind: 'run',
      options: {
        only: listOf('--only', values.only, knownProxies),
        parts: PARTS.filter((part) => !skip.includes(part)),
        shapes: listOf('--shapes', values.shapes, SHAPES),
        rounds: count('--rounds', values.rounds, quick ? 2 : 5),
        streamRounds: count('--stream-rounds', values['stream-rounds'], quick ? 1 : 3),
        requests: count('--requests', values.requests, quick ? 400 : 2000),
        firstByteRequests: count('--first-byte-requests', values['first-byte-requests'], quick ? 60 : 200),
        connections: count('--connections', values.connections, 16),
        paceMs: count('--pace-ms', values['pace-ms'], 2),
        streams: values.streams.split(',').map((text) => count('--streams', text, 0)),
        watchMs: count('--watch-ms', values['watch-ms'], quick ? 4000 : 10_000),
        burstStreams: count('--burst-streams', values['burst-streams'], 3000),
        wantsPin: !values['no-pin'],
        jsonFile: values.json,
      },
    };
  } catch (error) {
    return { kind: 'stop', exitCode: 2, message: `${(error as Error).message}\n\n${USAGE}` };
  }
}

const FLAGS = {
  help: { type: 'boolean', short: 'h', default: false },
  quick: { type: 'boolean', default: false },
  only: { type: 'string' },
  skip: { type: 'string' },
  shapes: { type: 'string', default: 'json,sse' },
  rounds: { type: 'string' },
  'stream-rounds': { type: 'string' },
  requests: { type: 'string' },
  'first-byte-requests': { type: 'string' },
  connections: { type: 'string' },
  'pace-ms': { type: 'string' },
  streams: { type: 'string', default: '1000,5000' },
  'watch-ms': { type: 'string' },
  'burst-streams': { type: 'string' },
  'no-pin': { type: 'boolean', default: false },
  json: { type: 'string' },
} as const;

function count(flag: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag} needs a whole number above 0, not "${text}"`);
  return value;
}

function listOf<Name extends string>(flag: string, text: string | undefined, known: readonly Name[]): Name[] {
  const names = text === undefined || text === '' ? [] : text.split(',');
  return names.map((name) => {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) throw new Error(`${flag}: "${name}" is none of ${known.join(', ')}`);
    return found;
  });
}
