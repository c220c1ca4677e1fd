import { type Fault, faultOf } from '../faults/fault.ts';
import type { Step } from './score.ts';

/** From steps to bytes: the API's own framing, and the framings a fault asks for. */
export type Encode = (step: Step) => Uint8Array<ArrayBuffer>[];

export function createEncode(faults: readonly Fault[]): Encode {
  const encoder = new TextEncoder();
  const lineEnd = faultOf(faults, 'crlf') ? '\r\n' : '\n';
  const named = !faultOf(faults, 'no-event-lines');
  const chunkBytes = faultOf(faults, 'tiny-chunks')?.bytes ?? Number.POSITIVE_INFINITY;
  return (step) => {
    const text = step.kind === 'event' ? frame(step.event, named, lineEnd) : step.kind === 'text' ? step.text : '';
    return slices(encoder.encode(text), chunkBytes);
  };
}

/** `content-encoding: gzip`. A compressor gives its output when it likes, so events arrive late and together. */
export function compressed(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return body.pipeThrough(new CompressionStream('gzip'));
}

function frame(event: { readonly name: string; readonly data: object }, named: boolean, lineEnd: string): string {
  const name = named ? `event: ${event.name}${lineEnd}` : '';
  return `${name}data: ${JSON.stringify(event.data)}${lineEnd}${lineEnd}`;
}

function slices(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer>[] {
  if (bytes.length <= size) return bytes.length === 0 ? [] : [bytes];
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size),
  );
}
