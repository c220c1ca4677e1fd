// What is asked of every proxy: a cell is one body size and one shape of answer. The counts shrink with the body so that
// a cell of 1 MB bodies does not take ten times as long as one of 2 KB.

export type Shape = 'json' | 'sse' | 'sse-burst';

export interface Cell {
  readonly name: string;
  readonly bodyBytes: number;
  readonly shape: Shape;
  /** Share of `--requests` sent per round. */
  readonly share: number;
}

const BODY_SIZES = [
  { name: '2 KB', bodyBytes: 2 * 1024, jsonShare: 1, sseShare: 0.25 },
  { name: '100 KB', bodyBytes: 100 * 1024, jsonShare: 0.4, sseShare: 0.25 },
  { name: '1 MB', bodyBytes: 1024 * 1024, jsonShare: 0.1, sseShare: 0.1 },
] as const;

export const EVENTS_PER_STREAM = 50;

const SHAPE_NAMES: Record<Shape, string> = {
  json: 'JSON',
  sse: `SSE ${EVENTS_PER_STREAM}`,
  'sse-burst': `SSE ${EVENTS_PER_STREAM} at once`,
};

export function cellsOf(shapes: readonly Shape[]): Cell[] {
  return BODY_SIZES.flatMap((size) =>
    shapes.map((shape) => ({
      name: `${size.name} ${SHAPE_NAMES[shape]}`,
      bodyBytes: size.bodyBytes,
      shape,
      share: shape === 'json' ? size.jsonShare : size.sseShare,
    })),
  );
}

export function requestsOf(cell: Cell, requests: number): number {
  return Math.max(20, Math.round(requests * cell.share));
}
