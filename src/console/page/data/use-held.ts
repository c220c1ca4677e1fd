import { useMemo, useRef, useState } from 'preact/hooks';
import { holdRows, type HeldRow } from './held-rows.ts';

/** Handlers for the element around a list that must stand still while a pointer is on it or the focus is in it. */
export interface Hold {
  readonly isHeld: boolean;
  readonly handlers: {
    readonly onPointerEnter: (event: PointerEvent) => void;
    readonly onPointerLeave: () => void;
    readonly onFocusIn: () => void;
    readonly onFocusOut: () => void;
  };
}

export function useHold(): Hold {
  const [isPointedAt, setPointedAt] = useState(false);
  const [hasFocus, setFocus] = useState(false);
  const handlers = {
    // A finger leaves no pointer behind that could be taken away.
    onPointerEnter: (event: PointerEvent) => setPointedAt(event.pointerType === 'mouse'),
    onPointerLeave: () => setPointedAt(false),
    onFocusIn: () => setFocus(true),
    onFocusOut: () => setFocus(false),
  };
  return { isHeld: isPointedAt || hasFocus, handlers };
}

export function useHeldRows<Row extends { readonly id: string }>(
  current: readonly Row[],
  isHeld: boolean,
): readonly HeldRow<Row>[] {
  const shown = useRef<readonly HeldRow<Row>[]>([]);
  return useMemo(() => (shown.current = holdRows(shown.current, current, isHeld)), [current, isHeld]);
}
