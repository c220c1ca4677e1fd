import type { ComponentChildren } from 'preact';
import type { Polled } from '../data/use-polled.ts';

/** What a view shows while its answer is not there, and above an answer that is no longer fresh. */
export interface PolledViewProps<Value> {
  readonly polled: Polled<Value>;
  readonly children: (value: Value) => ComponentChildren;
}

export function PolledView<Value>({ polled, children }: PolledViewProps<Value>) {
  if (polled.kind === 'loading') return <p class="empty">Asking the gateway …</p>;
  if (polled.kind === 'failed') return <Problem>{polled.because}</Problem>;
  return (
    <>
      {polled.problem !== null && <Problem>{polled.problem} What is shown is from before.</Problem>}
      <div class={polled.problem === null ? '' : 'stale'}>{children(polled.value)}</div>
    </>
  );
}

export function Problem({ children }: { readonly children: ComponentChildren }) {
  return (
    <p class="problem" role="alert">
      {children}
    </p>
  );
}
