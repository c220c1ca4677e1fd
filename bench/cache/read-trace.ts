import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readBlocks } from './block-trace.ts';
import { readBodies } from './body-trace.ts';
import { timeOf, type Trace, type TraceClock } from './trace.ts';

/** Reads either trace format, in the order of the given clock. */
export function readTrace(file: string, clock: TraceClock): Trace {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  lines.sort((a, b) => timeOf(a, clock) - timeOf(b, clock));
  const name = (file.split('/').at(-1) ?? file).replace(/\.jsonl(\.gz)?$/, '') + (clock === 't' ? '' : ` (${clock})`);
  return 'request' in (lines[0] ?? {}) ? readBodies(name, lines, clock) : readBlocks(name, lines, clock);
}
