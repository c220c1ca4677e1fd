import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineReader, type LineReader } from '../../src/core/line-reader.ts';
import { split, splits } from './sse-streams.ts';

const MAX_BYTES = 20;
const HEAD_BYTES = 4;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Lines that begin with `no` are unwanted; a line that is cut is shown with a mark behind it. */
function readerInto(lines: string[]): LineReader {
  return createLineReader({
    maxBytes: MAX_BYTES,
    headBytes: HEAD_BYTES,
    isUnwanted: (head) => head[0] === 0x6e && head[1] === 0x6f,
    onLine: (line, isCut) => lines.push(new TextDecoder().decode(line) + (isCut ? '…' : '')),
  });
}

function linesOf(pieces: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const reader = readerInto(lines);
  for (const piece of pieces) reader.push(piece);
  return lines;
}

describe('createLineReader', () => {
  it('ends lines at LF, CR LF and CR, and takes CR LF for one end at any split', () => {
    expect(linesOf([bytes('a\nb\r\nc\rd\n\r\n\re')])).toEqual(['a', 'b', 'c', 'd', '', '']);
    expect(linesOf([bytes('a\r'), bytes(''), bytes('\nb\r'), bytes('\r\n')])).toEqual(['a', 'b', '']);
  });

  it('finds the same lines however the bytes are split', () => {
    const text = fc
      .array(fc.constantFrom('a', 'yes', '\n', '\r', '\r\n', 'é'), { maxLength: 15 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(text, splits, (whole, places) => {
        const short = whole.replaceAll(/[^\r\n]{10,}/g, 'long');
        expect(linesOf(split(bytes(short), places))).toEqual(short.split(/\r\n|\n|\r/).slice(0, -1));
      }),
    );
  });

  it('copies the pieces of a line: a Buffer that is pushed may be written over', () => {
    const lines: string[] = [];
    const reader = readerInto(lines);
    for (const text of ['yes, I', ' do', ' too\nno, th', 'ank you\n']) {
      const chunk = Buffer.from(text);
      reader.push(chunk);
      chunk.fill(0);
    }
    expect(lines).toEqual(['yes, I do too', 'no, …']);
  });

  it('keeps no more than the head of an unwanted line that comes in pieces', () => {
    const [head, ...rest] = split(bytes('no, thank you\n'), [3, 6, 9]);
    expect(linesOf([head as Uint8Array, ...rest])).toEqual(['no,…']);
    expect(linesOf(split(bytes('no, thank you\n'), [1, 2, 6]))).toEqual(['no…']);
  });

  it('keeps no more than the head of a line that is too long, once it knows that', () => {
    const long = 'y'.repeat(10 * MAX_BYTES);
    expect(linesOf(split(bytes(`${long}\nz\n`), [6, 12, 18, 24, 30]))).toEqual(['yyyy…', 'z']);
    expect(linesOf([bytes(`${long}\nz\n`)])).toEqual([`${long}…`, 'z']);
  });

  it('takes a line of just the maximum whole, and cuts one that its last piece makes too long', () => {
    const most = 'y'.repeat(MAX_BYTES);
    expect(linesOf(split(bytes(`${most}\n`), [5]))).toEqual([most]);
    expect(linesOf(split(bytes(`${most}y\n`), [5]))).toEqual([`${most}y…`]);
  });

  it('is in a line from its first byte to its end, also of one that is cut', () => {
    const reader = readerInto([]);
    const after = ['no', ', thank', ' you', '\r', '\n', 'y', '\n'].map((piece) => {
      reader.push(bytes(piece));
      return reader.inLine;
    });
    expect(after).toEqual([true, true, true, false, false, true, false]);
  });
});
