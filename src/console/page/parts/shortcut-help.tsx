import { useEffect, useRef, useState } from 'preact/hooks';
import { hrefOf } from '../route.ts';
import { VIEWS } from '../views/views.tsx';

/** Number keys go to the views, `?` shows them. They can be switched off, for whoever speaks to a computer. */
const KEY = 'slipstream.console.shortcuts';

export function ShortcutHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOn, setOn] = useState(() => localStorage.getItem(KEY) !== 'off');
  useEffect(() => {
    if (!isOn) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || dialog.current?.open) return;
      const view = VIEWS[Number(event.key) - 1];
      if (view) location.hash = hrefOf(view.route);
      else if (event.key === '?') dialog.current?.showModal();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [isOn]);
  const change = (next: boolean): void => {
    localStorage.setItem(KEY, next ? 'on' : 'off');
    setOn(next);
  };
  return (
    <>
      <button type="button" class="small" aria-label="Keyboard shortcuts" onClick={() => dialog.current?.showModal()}>
        ?
      </button>
      <dialog ref={dialog} aria-labelledby="shortcuts">
        <h2 id="shortcuts">Keyboard shortcuts</h2>
        <dl class="shortcuts">
          {VIEWS.map(({ name }, at) => (
            <div key={name}>
              <dt>
                <kbd>{at + 1}</kbd>
              </dt>
              <dd>{name}</dd>
            </div>
          ))}
          <div>
            <dt>
              <kbd>?</kbd>
            </dt>
            <dd>These shortcuts</dd>
          </div>
        </dl>
        <label class="check">
          <input type="checkbox" checked={isOn} onChange={(event) => change(event.currentTarget.checked)} /> Switched on
        </label>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, select, textarea');
}
