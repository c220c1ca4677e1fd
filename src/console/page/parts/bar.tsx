/**
 * A share as a length. It only repeats what stands beside it in figures, so it is silent to a screen reader; what is over
 * its measure is cut there and shown as an alarm.
 */
export interface BarProps {
  readonly value: number;
  readonly of: number;
  /** Where the filled part begins to be this one's own, on the same scale. */
  readonly from?: number;
  /** A second measure on the same scale, drawn as a line. */
  readonly mark?: number;
}

export function Bar({ value, of, from = 0, mark }: BarProps) {
  const percent = (part: number): string => `${of > 0 ? Math.min(100, Math.max(0, (part / of) * 100)) : 0}%`;
  const isOver = of > 0 && value > of;
  return (
    <span class={isOver ? 'bar over' : 'bar'} aria-hidden="true">
      <span class="filled" style={{ width: percent(value) }} />
      {from > 0 && <span class="inherited" style={{ width: percent(from) }} />}
      {mark !== undefined && <span class="mark" style={{ left: percent(mark) }} />}
    </span>
  );
}
