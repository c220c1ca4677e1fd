import type { Clock } from '../../core/clock.ts';
import { dropOldest } from '../../core/newest.ts';
import type { Prefix } from '../../prompt/prefix.ts';
import type { Mark } from '../../prompt/prompt-view.ts';

/**
 * Shapes of marking that an upstream has refused: where markers stood, in which form, for which model and domain. They
 * are not tried again for an hour; a shape is coarse on purpose, so that one refusal protects all prompts like it.
 */
export interface ShapeBans {
  shapeOf(domain: string, model: string, prefix: Prefix, marks: readonly Mark[]): string;
  has(shape: string): boolean;
  add(shape: string): void;
}

const BAN_MS = 3_600_000;
const MAX_BANS = 1024;

export function createShapeBans(clock: Clock): ShapeBans {
  const untilMs = new Map<string, number>();
  return {
    shapeOf(domain, model, { positions }, marks) {
      const places = marks.map(({ at, ttl }) => `${positions[at]?.section}:${positions[at]?.form}:${ttl}`);
      return [domain, model, ...places].join('\n');
    },
    has(shape) {
      const until = untilMs.get(shape);
      if (until === undefined) return false;
      if (until > clock.nowMs()) return true;
      untilMs.delete(shape);
      return false;
    },
    add(shape) {
      untilMs.set(shape, clock.nowMs() + BAN_MS);
      dropOldest(untilMs, MAX_BANS);
    },
  };
}
