import type { Clock } from '../../core/clock.ts';
import { planCache } from '../../prompt/plan/plan.ts';
import type { PlacementIndex } from '../../prompt/learn/placement-index.ts';
import { allMarks, tokensTo, type Plan, type PlannedMark } from '../../prompt/prompt-view.ts';
import type { Target } from './cache-target.ts';
import type { ShapeBans } from './shape-bans.ts';

/** What a request would do with the cache if it were sent now. */
export interface Course {
  readonly plan: Plan;
  /** What is added of the plan: nothing where markers of this shape were refused. */
  readonly marks: readonly PlannedMark[];
  /** The shape of these markers, for the bans. */
  readonly shape: string;
  readonly isBanned: boolean;
}

export interface CoursePorts {
  readonly clock: Clock;
  readonly index: PlacementIndex;
  readonly bans: ShapeBans;
}

export function courseOf(target: Target, { clock, index, bans }: CoursePorts): Course {
  const { domain, model, prefix, view, rules } = target;
  const plan = planCache(index, view, rules, clock.nowMs());
  const shape = bans.shapeOf(domain, model, prefix, plan.marks);
  const isBanned = plan.marks.length > 0 && bans.has(shape);
  return { plan, marks: isBanned ? [] : plan.marks, shape, isBanned };
}

/** Depths that this course writes, the caller's own marks included, shallow first. */
export function writtenDepths({ view, rules }: Target, { plan, marks }: Course): number[] {
  return allMarks(view, marks)
    .map((mark) => mark.at + 1)
    .filter((depth) => {
      const tokens = tokensTo(view, depth);
      return tokens >= rules.minimumTokens && tokens > plan.expected.readTokens;
    });
}

/** What it writes, and what it does not because another request is writing it, shallow first. */
export function wantedDepths(target: Target, course: Course): number[] {
  const depths = new Set([course.plan.pendingDepth, ...writtenDepths(target, course)]);
  return [...depths].filter((depth) => depth > 0).sort((a, b) => a - b);
}

/** What reading a prompt takes: measured TTFT is about half a second and 50 µs per uncached token. */
const PREFILL_BASE_MS = 500;
const PREFILL_MS_PER_TOKEN = 0.05;

export function prefillMs(uncachedTokens: number): number {
  return PREFILL_BASE_MS + PREFILL_MS_PER_TOKEN * uncachedTokens;
}
