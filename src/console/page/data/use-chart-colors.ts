import { useEffect, useState } from 'preact/hooks';

/** The page's colours for a canvas, which knows no CSS variables; new ones when the system turns dark or light. */
export interface ChartColors {
  readonly accent: string;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly fill: string;
  readonly font: string;
}

const dark = matchMedia('(prefers-color-scheme: dark)');

export function useChartColors(): ChartColors {
  const [colors, setColors] = useState(readColors);
  useEffect(() => {
    const onChange = (): void => setColors(readColors());
    dark.addEventListener('change', onChange);
    return () => dark.removeEventListener('change', onChange);
  }, []);
  return colors;
}

function readColors(): ChartColors {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  return {
    accent: color('--accent'),
    ink: color('--ink'),
    soft: color('--soft'),
    line: color('--line'),
    fill: color('--accent-fill'),
    font: `11px ${style.fontFamily}`,
  };
}
