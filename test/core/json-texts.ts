import * as fc from 'fast-check';

/**
 * JSON texts as arbitraries: trees that keep duplicate names, written with any white space and any spelling of their
 * strings. The reader under test must find in the text what the tree says.
 */
export type JsonTree =
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly JsonTree[] }
  | { readonly kind: 'object'; readonly members: readonly JsonMemberTree[] };

export interface JsonMemberTree {
  /** As written, quotes and escapes included. */
  readonly nameText: string;
  readonly value: JsonTree;
}

const letters = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('', '\uFEFF', '"\\/', '\u2028'));

/** A string in one of its spellings: as it is, or with some letters as \u escapes. */
const stringTexts = fc.tuple(letters, fc.array(fc.boolean(), { minLength: 1, maxLength: 7 })).map(([text, escaped]) => {
  const spelled = Array.from(text, (letter, at) => (escaped[at % escaped.length] ? escapeAll(letter) : plain(letter)));
  return `"${spelled.join('')}"`;
});

export function escapeAll(text: string): string {
  return Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
    '',
  );
}

function plain(letter: string): string {
  return JSON.stringify(letter).slice(1, -1);
}

const numberTexts = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.maxSafeInteger().map(String),
  fc.constantFrom('-0', '0.0', '1E+2', '1e-07', '-12.50', '1'.repeat(400), '9e999'),
);

export const scalarTexts = fc.oneof(fc.constantFrom('true', 'false', 'null'), numberTexts, stringTexts);

const tied = fc.letrec<{ tree: JsonTree; object: JsonTree & { kind: 'object' } }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarTexts.map((text) => ({ kind: 'scalar' as const, text })),
    fc.array(tie('tree'), { maxLength: 4 }).map((items) => ({ kind: 'array' as const, items })),
    tie('object'),
  ),
  object: fc
    .array(
      fc.record({
        nameText: fc.oneof(fc.constantFrom('"a"', '"\\u0061"', '"__proto__"'), stringTexts),
        value: tie('tree'),
      }),
      { maxLength: 5 },
    )
    .map((members) => ({ kind: 'object' as const, members })),
}));

export const jsonTrees = tied.tree;
export const jsonObjects = tied.object;

/** White space to write between tokens, used in turn. */
export const whitespaces = fc.array(fc.constantFrom('', '', ' ', '\n', '\t', '\r\n  '), { minLength: 1, maxLength: 9 });

export function writeJson(tree: JsonTree, spaces: readonly string[]): string {
  let used = 0;
  const space = (): string => spaces[used++ % spaces.length] ?? '';
  const list = (open: string, items: readonly string[], close: string): string =>
    items.length === 0
      ? open + space() + close
      : open + items.map((item) => space() + item + space()).join(',') + close;
  const write = (node: JsonTree): string => {
    if (node.kind === 'scalar') return node.text;
    if (node.kind === 'array') return list('[', node.items.map(write), ']');
    const members = node.members.map(({ nameText, value }) => nameText + space() + ':' + space() + write(value));
    return list('{', members, '}');
  };
  return write(tree);
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
