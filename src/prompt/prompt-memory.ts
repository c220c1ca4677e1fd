import { createKinship, type Kinship } from './kinship.ts';
import { createPlacementIndex, type PlacementIndex } from './learn/placement-index.ts';
import { createPrefixBook, type PrefixBook } from './book/prefix-book.ts';
import { createTokenScale, type TokenScale } from './token-scale.ts';
import { createVolatilePrefixes, type VolatilePrefixes } from './volatile-prefix.ts';

/** All that traffic teaches about prompts: hashes, times and counts, bounded, and never a prompt itself. */
export interface PromptMemory {
  readonly index: PlacementIndex;
  readonly scale: TokenScale;
  readonly kinship: Kinship;
  readonly volatile: VolatilePrefixes;
  readonly prefixes: PrefixBook;
}

/** About 130 bytes each: 65 MB when full. */
const MAX_POSITIONS = 500_000;

export function createPromptMemory(maxPositions = MAX_POSITIONS): PromptMemory {
  const index = createPlacementIndex({ maxPositions });
  return {
    index,
    scale: createTokenScale(),
    kinship: createKinship(),
    volatile: createVolatilePrefixes(),
    prefixes: createPrefixBook(index),
  };
}
