import type { Model } from '../model/models.ts';
import { pick } from '../wire/digest.ts';

/**
 * What the simulator writes: plain English words in an order that the seed decides. A text of N tokens is as long as the
 * token estimate says, so an answer sent back weighs as input what it cost as output.
 */
const WORDS =
  `the a one each this that some every answer question prompt cache token stream reader writer garden river winter morning
  window letter harbour engine lantern copper silver quiet simple careful narrow early distant follows carries keeps finds
  returns measures opens remembers crosses under over beside through before after while because without between and then
  so but yet again here there now slowly plainly often rarely almost together`.split(/\s+/);

/** Words, spaces and full stops only: one byte a character. */
export function prose(tokens: number, model: Pick<Model, 'bytesPerToken'>, topic: string, seed: number): string {
  const bytes = Math.floor(tokens * model.bytesPerToken);
  let text = '';
  for (let index = 0; text.length < bytes; index++) {
    const word = WORDS[pick(0, WORDS.length - 1, `${topic}/${index}`, seed)] ?? '';
    const starts = text === '' || text.endsWith('. ');
    text += (starts ? word.charAt(0).toUpperCase() + word.slice(1) : word) + (index % 11 === 10 ? '. ' : ' ');
  }
  const cut = text.slice(0, bytes);
  return cut.endsWith(' ') ? `${cut.slice(0, -1)}.` : cut;
}

/** Cuts a text into pieces of one to four tokens, each with the number of tokens it brings. */
export function pieces(text: string, model: Pick<Model, 'bytesPerToken'>, topic: string, seed: number) {
  const cut: { text: string; tokens: number }[] = [];
  const total = Math.ceil(text.length / model.bytesPerToken);
  for (let done = 0; done < total;) {
    const tokens = Math.min(total - done, pick(1, 4, `${topic}/${done}`, seed));
    const from = Math.floor(done * model.bytesPerToken);
    done += tokens;
    cut.push({ text: text.slice(from, done === total ? undefined : Math.floor(done * model.bytesPerToken)), tokens });
  }
  return cut;
}
