import type { ComponentChildren } from 'preact';

/** The few numbers that say how it goes, each with its name above and what it is made of below. */
export interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly note: ComponentChildren;
  readonly isAlarming?: boolean;
}

export function Figures({ children }: { readonly children: ComponentChildren }) {
  return <dl class="figures">{children}</dl>;
}

export function Figure({ name, value, note, isAlarming = false }: FigureProps) {
  return (
    <div class={isAlarming ? 'figure alarming' : 'figure'}>
      <dt>{name}</dt>
      <dd class="value">{value}</dd>
      <dd class="note">{note}</dd>
    </div>
  );
}
