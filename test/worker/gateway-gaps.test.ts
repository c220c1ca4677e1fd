import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GATEWAY_GAPS, gapOf } from './gateway-gaps.ts';

const textOf = (file: string): string => readFileSync(new URL(`../gateway/${file}.test.ts`, import.meta.url), 'utf8');
/** The words of a title as the file has them; those that a table puts into a title are not in it. */
const suiteOf = (title: string): string => title.split(' > ')[0]?.replace(/ by (?:fin|reset).*$/, '') ?? '';

describe('gaps of the gateway on workerd', () => {
  it('name tests that exist', () => {
    const unknown = GATEWAY_GAPS.flatMap(({ file, titles = [] }) =>
      titles.filter((title) => !textOf(file).includes(suiteOf(title))).map((title) => `${file}: ${title}`),
    );
    expect(unknown).toEqual([]);
  });

  it('leave out what they name and nothing else', () => {
    expect(gapOf('draining', 'whatever it is')).toBeDefined();
    expect(gapOf('hang-up', 'a caller that hangs up by fin > mid-stream ends the call')).toBeDefined();
    expect(gapOf('hang-up', 'a caller that hangs up by reset > mid-stream ends the call')).toBeUndefined();
    expect(gapOf('metrics', 'a caller that hangs up by fin > mid-stream ends the call')).toBeUndefined();
  });
});
