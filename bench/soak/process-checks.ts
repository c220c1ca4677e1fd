// What the gateway's process must be like when the load rests, and that it met no bug of its own.

import { spreadOf } from '../statistics.ts';
import { check, type Check, type Evidence } from './check.ts';
import type { Leftovers } from './checkpoint.ts';

const HEAP_TOLERANCE = 0.05;

export function processChecks(evidence: Evidence): Check[] {
  return [heapCheck(evidence), leftoversCheck(evidence), errorCheck(evidence)];
}

/**
 * The first third after the warm-up against the last, by medians: what the gateway remembers for a while it lets go in
 * strides, so one rest can be a tenth above the next.
 */
function heapCheck({ checkpoints, isWarm }: Evidence): Check {
  const rests = checkpoints.filter(({ phase }) => phase === 'soak').map(({ memory }) => memory.heapBytes);
  const third = Math.ceil(rests.length / 3);
  const first = spreadOf(rests.slice(0, third)).median;
  const last = spreadOf(rests.slice(-third)).median;
  const growth = last / first - 1;
  const isJudged = isWarm && rests.length > 1;
  const figures = [
    ...(isJudged ? [] : ['NOT JUDGED, the warm-up was too short']),
    `${megabytes(first)} → ${megabytes(last)} MB`,
    `${(growth * 100).toFixed(1)} %`,
    `all: ${checkpoints.map(({ memory }) => megabytes(memory.heapBytes)).join(', ')}`,
  ];
  return check(
    'heap after collection within 5 % of that after warm-up',
    !isJudged || growth <= HEAP_TOLERANCE,
    figures,
  );
}

function leftoversCheck({ checkpoints }: Evidence): Check {
  const left = checkpoints.flatMap(({ leftovers }) => Object.entries(leftovers)).filter(([, count]) => count !== 0);
  const names = Object.keys(checkpoints[0]?.leftovers ?? {}) as Array<keyof Leftovers>;
  const sums = names.map((name) => `${name} ${checkpoints.reduce((sum, { leftovers }) => sum + leftovers[name], 0)}`);
  return check('nothing is left when the load rests', left.length === 0, [`${checkpoints.length} times`, ...sums]);
}

function errorCheck({ internalErrors }: Evidence): Check {
  const figures = [`${internalErrors.length} errors`, ...internalErrors.slice(0, 1)];
  return check('the gateway met no error of its own', internalErrors.length === 0, figures);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}
