/**
 * Texts for the demo's prompts, made here from a list of words: the same seed writes the same text, so that a prefix can
 * be cached and a run repeated. Nothing of anybody's prose or traffic is in it.
 */
export interface Writer {
  /** Sentences of about this many tokens on Claude 4.7 and later. */
  text(tokens: number): string;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
}

const WORDS =
  `account address batch border branch bridge budget canal carrier chapter claim column contract count customer date delay
  depot district draft engine entry error event ferry field figure filter freight grain harbour index input invoice island
  label ledger letter level limit list market measure message meter model month notice number offer office option order
  output packet page parcel path period permit pilot plan platform port price queue rate reader record region request
  result review river road route rule sample schedule season section series service signal station storage stream street
  supply table target tariff term ticket token total track trade train value version vessel volume warehouse week window
  accepts adds asks begins carries changes checks closes compares counts covers delays ends explains finds follows gives
  holds keeps leaves lists makes marks meets moves names needs opens orders passes pays prints reads returns sends sets
  shows sorts splits starts states stops takes tests uses waits writes after again all and any before between both
  by early each every few first for from half here in late less many more most near never next no of often on once only
  open or other over past per quick same short since slow so some soon still such than that the then this to twice under
  until upon where which while with without`.split(/\s+/);

/** Docs, token counting: about 2.5 bytes a token from Claude 4.7 on. */
const BYTES_PER_TOKEN = 2.5;
const WORDS_PER_SENTENCE = { least: 6, most: 16 };

/** @param seed any positive whole number. */
export function createWriter(seed: number): Writer {
  // The minimal standard generator of Park and Miller (CACM, 1988): products stay below 2^53.
  let state = 1 + ((seed * 7919) % 2_147_483_646);
  const between = (low: number, high: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return low + (state % (high - low + 1));
  };
  const sentence = (): string => {
    const count = between(WORDS_PER_SENTENCE.least, WORDS_PER_SENTENCE.most);
    const words = Array.from({ length: count }, () => WORDS[between(0, WORDS.length - 1)] ?? '').join(' ');
    return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
  };
  return {
    between,
    text(tokens) {
      let text = sentence();
      while (text.length < tokens * BYTES_PER_TOKEN) text += ` ${sentence()}`;
      return text;
    },
  };
}
