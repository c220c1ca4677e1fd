import { describe, expect, it } from 'vitest';
import { createConsoleWords } from '../../../src/worker/console/console-words.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { forestOf, liveOf, reportOf, wordOf } from '../isolate-words.ts';

const PROMPTS = { prefixes: forestOf(1), volatilePrefixes: [] };

function createStage() {
  const clock = createFakeClock();
  const words = createConsoleWords(clock);
  const liveIds = (): string[] => words.reports().flatMap(({ live }) => live.map(({ id }) => id));
  const hear = (isolate: string, id: string): void =>
    words.hear(wordOf({ isolate, report: reportOf({ live: [liveOf(id)] }) }));
  return { clock, words, liveIds, hear };
}

describe('the words of isolates', () => {
  it('are the last of each, the newest first', () => {
    const { liveIds, hear } = createStage();
    hear('one', 'a');
    hear('two', 'b');
    expect(liveIds()).toEqual(['b', 'a']);
    hear('one', 'c');
    expect(liveIds()).toEqual(['c', 'b']);
  });

  it('of one that has been silent for more than 30 s are forgotten, but for what it learned of prompts', async () => {
    const { clock, words, liveIds, hear } = createStage();
    words.hear(wordOf({ isolate: 'one', report: reportOf({ live: [liveOf('a')] }), prompts: PROMPTS }));
    await clock.advance(30_000);
    hear('two', 'b');
    expect(liveIds()).toEqual(['b', 'a']);
    await clock.advance(1);
    expect(liveIds()).toEqual(['b']);
    expect(words.prompts()).toEqual([PROMPTS]);
    await clock.advance(3_600_000);
    expect(words.prompts()).toEqual([]);
  });

  it('without prompts leave those that were told before', () => {
    const { words } = createStage();
    words.hear(wordOf({ prompts: PROMPTS }));
    words.hear(wordOf());
    expect(words.prompts()).toEqual([PROMPTS]);
  });

  it('are kept of the newest 100 isolates', () => {
    const { liveIds, hear } = createStage();
    for (let index = 0; index < 101; index++) hear(`isolate-${index}`, `${index}`);
    expect(liveIds()).toHaveLength(100);
    expect(liveIds()).not.toContain('0');
  });
});

describe('interest', () => {
  it('lasts for a minute after somebody has looked, at each thing by itself', async () => {
    const { clock, words } = createStage();
    expect(words.interest).toEqual({ inExchanges: false, inPrompts: false });
    words.look('inExchanges');
    await clock.advance(60_000);
    words.look('inPrompts');
    expect(words.interest).toEqual({ inExchanges: true, inPrompts: true });
    await clock.advance(1);
    expect(words.interest).toEqual({ inExchanges: false, inPrompts: true });
  });
});
