import { describe, expect, it } from 'vitest';
import { readWholeBody } from '../../src/worker/whole-body.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const LIMITS = { maxBytes: 1_000_000, stallMs: 10_000 };

function request(
  chunks: readonly Uint8Array[],
  announced: number | null,
  after: 'close' | 'stay open' | 'break' = 'close',
) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      if (after === 'close') controller.close();
      if (after === 'break') controller.error(new Error('the caller is gone'));
    },
  });
  const headers = announced === null ? {} : { 'content-length': String(announced) };
  return new Request('http://gateway.test/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
}

const counted = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, at) => at % 251);
const inChunks = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));

describe('a body', () => {
  it.each([
    ['as announced', 300_000],
    ['of unknown length', null],
    ['longer than announced', 10],
    ['shorter than announced', 900_000],
  ])('%s is read whole and in order', async (_what, announced) => {
    const bytes = counted(300_000);
    const read = await readWholeBody(request(inChunks(bytes, 7_001), announced), LIMITS, createFakeClock());
    expect(read.kind === 'read' && Buffer.from(read.bytes).equals(bytes)).toBe(true);
  });

  it('takes no more room than it has bytes, where they are as many as announced', async () => {
    const read = await readWholeBody(request(inChunks(counted(300_000), 7_001), 300_000), LIMITS, createFakeClock());
    expect(read.kind === 'read' && read.bytes.buffer.byteLength).toBe(300_000);
  });

  it('that announces too much is refused before a byte of it is read', async () => {
    const asked = request([], LIMITS.maxBytes + 1, 'stay open');
    expect(await readWholeBody(asked, LIMITS, createFakeClock())).toEqual({ kind: 'too_large' });
  });

  it('that grows too large without saying so is given up', async () => {
    const asked = request(inChunks(counted(LIMITS.maxBytes + 1), 65_536), null, 'stay open');
    expect(await readWholeBody(asked, LIMITS, createFakeClock())).toEqual({ kind: 'too_large' });
  });

  it('that stands still is given up when its time is over', async () => {
    const clock = createFakeClock();
    const reading = readWholeBody(request([counted(10)], 20, 'stay open'), LIMITS, clock);
    await clock.advance(LIMITS.stallMs);
    expect(await reading).toEqual({ kind: 'stalled' });
    expect(clock.pending).toBe(0);
  });

  it('whose caller leaves is nobody’s any more', async () => {
    const read = await readWholeBody(request([], null, 'break'), LIMITS, createFakeClock());
    expect(read).toEqual({ kind: 'gone' });
  });
});
