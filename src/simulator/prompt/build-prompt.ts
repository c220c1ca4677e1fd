import type { CacheMark, CachePosition, CacheTtl, MarkRefusal } from '../cache/cache-types.ts';
import { checkMarks, placeAutomatic } from '../cache/marks.ts';
import type { Model } from '../model/models.ts';
import { type ApiRefusal, invalid } from '../wire/api-error.ts';
import { digest } from '../wire/digest.ts';
import { isObject, type Json, type JsonObject } from '../wire/json.ts';
import { bindThinking, type ThinkingDropped } from './bound-thinking.ts';
import { type LevelKeys, levelKeys } from './level-keys.ts';
import { type Piece, piecesOfMessages, piecesOfSystem, piecesOfTools } from './pieces.ts';

/**
 * From a body to what the cache engine knows: positions with chained hashes, and the markers that stand on them, the
 * automatic one included. The chain takes in a level's keys where that level begins, also when the level is empty.
 */
export interface Prompt {
  readonly kind: 'prompt';
  readonly positions: readonly CachePosition[];
  readonly marks: readonly CacheMark[];
  readonly inputTokens: number;
  readonly dropped: readonly ThinkingDropped[];
  /** Digest of the content alone: markers and parameters don't change it. */
  readonly contentDigest: string;
}

export function buildPrompt(body: JsonObject, model: Model, betas: readonly string[]): Prompt | ApiRefusal {
  const all = [...piecesOfTools(body, model), ...piecesOfSystem(body, model), ...piecesOfMessages(body, model)];
  const bound = bindThinking(all, body, model);
  if (bound.kind === 'refused') return bound;
  const positions = chain(bound.pieces, levelKeys(body, model, betas));
  const marks = readMarks(bound.pieces, positions, body['cache_control']);
  if (marks.kind === 'refused') return marks;
  return {
    kind: 'prompt',
    positions,
    marks: marks.marks,
    inputTokens: positions.reduce((sum, position) => sum + position.tokens, 0),
    dropped: bound.dropped,
    contentDigest: bound.prefix,
  };
}

function chain(pieces: readonly Piece[], keys: LevelKeys): CachePosition[] {
  const levels = ['tools', 'system', 'messages'] as const;
  let hash = '';
  return levels.flatMap((level) => {
    hash = digest(`${hash}\n${keys[level]}`);
    return pieces
      .filter((piece) => piece.level === level)
      .map((piece) => {
        if (piece.inPrefix) hash = digest(`${hash}\n${piece.content}`);
        return { hash, tokens: piece.tokens, markable: piece.markable };
      });
  });
}

interface Marks {
  readonly kind: 'marks';
  readonly marks: readonly CacheMark[];
}

function readMarks(
  pieces: readonly Piece[],
  positions: readonly CachePosition[],
  automatic: Json | undefined,
): Marks | ApiRefusal {
  const explicit: CacheMark[] = [];
  for (const [at, piece] of pieces.entries()) {
    for (const marker of piece.markers) {
      const ttl = readTtl(marker.value, marker.path);
      if (ttl.kind === 'refused') return ttl;
      explicit.push({ at, ttl: ttl.ttl });
    }
  }
  const check = checkMarks(positions, explicit);
  if (check.kind === 'refused') return markRefusal(check.refusal, pieces);
  if (automatic === undefined || automatic === null) return { kind: 'marks', marks: explicit };
  return withAutomatic(pieces, positions, explicit, automatic);
}

function withAutomatic(
  pieces: readonly Piece[],
  positions: readonly CachePosition[],
  explicit: readonly CacheMark[],
  automatic: Json,
): Marks | ApiRefusal {
  const ttl = readTtl(automatic, '');
  if (ttl.kind === 'refused') return ttl;
  const placement = placeAutomatic(positions, explicit, ttl.ttl);
  if (placement.kind === 'refused') return markRefusal(placement.refusal, pieces);
  if (placement.kind !== 'placed') return { kind: 'marks', marks: explicit };
  const marks = [...explicit, { at: placement.at, ttl: ttl.ttl }];
  const check = checkMarks(positions, marks);
  return check.kind === 'refused' ? markRefusal(check.refusal, pieces) : { kind: 'marks', marks };
}

function readTtl(value: Json, path: string): { kind: 'ttl'; ttl: CacheTtl } | ApiRefusal {
  const place = path === '' ? 'cache_control' : `${path}.cache_control`;
  if (!isObject(value)) return invalid(`${place}: Input should be a valid dictionary`);
  if (value['type'] !== 'ephemeral') return invalid(`${place}.type: Input should be 'ephemeral'`);
  const ttl = value['ttl'] ?? '5m';
  return ttl === '5m' || ttl === '1h' ? { kind: 'ttl', ttl } : invalid(`${place}.ttl: Input should be '5m' or '1h'`);
}

function markRefusal(refusal: MarkRefusal, pieces: readonly Piece[]): ApiRefusal {
  if (refusal.kind === 'too-many-marks') {
    return invalid(`A maximum of 4 blocks with cache_control may be provided. Found ${refusal.found}.`);
  }
  const piece = pieces[refusal.at];
  if (refusal.kind === 'not-markable') return notMarkable(piece);
  const rule =
    refusal.kind === 'ttl-order'
      ? "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Blocks are processed in the order tools, system, messages."
      : 'the automatic cache_control has another ttl than the one on the last block';
  return invalid(`${piece?.path}.cache_control.ttl: ${rule}`);
}

function notMarkable(piece: Piece | undefined): ApiRefusal {
  if (piece?.type === 'text') return invalid(`${piece.path}: cache_control cannot be set for empty text blocks`);
  if (piece?.level === 'tools')
    return invalid(`${piece.path}: cache_control cannot be set for tools with defer_loading`);
  return invalid(`${piece?.path}.${piece?.type}.cache_control: Extra inputs are not permitted`);
}
