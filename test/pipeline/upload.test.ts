import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../src/core/errors.ts';
import { watchUpload, type Upload } from '../../src/pipeline/upload.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length);

async function* from(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** What the upstream has been given by the time the body ends, and whether it ends as a whole one does. */
async function drain({ body }: Upload): Promise<{ sizes: number[]; isWhole: boolean }> {
  const sizes: number[] = [];
  try {
    for await (const piece of body) sizes.push(piece.length);
    return { sizes, isWhole: true };
  } catch {
    return { sizes, isWhole: false };
  }
}

function watch(body: AsyncIterable<Uint8Array>, refusal: Refusal | null = null) {
  const clock = createFakeClock();
  const seen: number[] = [];
  const inspect = async (piece: Uint8Array): Promise<Refusal | null> => {
    seen.push(piece.length);
    return piece.length === 3 ? refusal : null;
  };
  const upload = watchUpload(body, { clock, maxBytes: 10, stallMs: 1_000, inspect });
  return { clock, seen, upload };
}

describe('an upload', () => {
  it('of exactly as many bytes as there may be passes, piece by piece', async () => {
    const { upload, seen } = watch(from(bytes(4), bytes(6)));
    expect(await drain(upload)).toEqual({ sizes: [4, 6], isWhole: true });
    expect(seen).toEqual([4, 6]);
    expect(upload).toMatchObject({ refusal: null, over: { aborted: false } });
  });

  it('of one more is over before the piece with that byte is passed on', async () => {
    const { upload } = watch(from(bytes(4), bytes(7), bytes(1)));
    expect(await drain(upload)).toEqual({ sizes: [4], isWhole: false });
    expect(upload).toMatchObject({ refusal: { code: 'body_too_large' }, over: { aborted: true } });
  });

  it('that is refused for what is in it is over before that is passed on', async () => {
    const { upload } = watch(from(bytes(4), bytes(3)), { code: 'file_not_found', detail: 'f' });
    expect(await drain(upload)).toEqual({ sizes: [4], isWhole: false });
    expect(upload.refusal).toEqual({ code: 'file_not_found', detail: 'f' });
  });

  it('that stands still is over, and its time begins anew with each piece', async () => {
    const next = [Promise.withResolvers<Uint8Array>(), Promise.withResolvers<Uint8Array>()];
    const { upload, clock } = watch(
      (async function* () {
        for (const { promise } of next) yield await promise;
      })(),
    );
    const drained = drain(upload);
    await clock.advance(999);
    next[0]?.resolve(bytes(1));
    await clock.advance(999);
    expect(upload.refusal).toBeNull();
    await clock.advance(1);
    expect(await drained).toEqual({ sizes: [1], isWhole: false });
    expect(upload.refusal).toEqual({ code: 'request_stalled' });
    expect(clock.pending).toBe(0);
  });

  it('that nobody reads any more leaves no timer, and its source as it is', async () => {
    let isEnded = false;
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          isEnded = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const { upload, clock } = watch(source);
    const drained = drain(upload);
    await clock.advance(10);
    upload.close();
    expect(await drained).toEqual({ sizes: [], isWhole: false });
    expect(clock.pending).toBe(0);
    expect({ isEnded, refusal: upload.refusal }).toEqual({ isEnded: false, refusal: null });
  });
});
