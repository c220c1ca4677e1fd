import type { Model } from '../model/models.ts';
import { type ApiRefusal, invalid } from '../wire/api-error.ts';
import { digest } from '../wire/digest.ts';
import { type JsonObject, objectOf, textOf } from '../wire/json.ts';
import type { Piece } from './pieces.ts';
import { checkSignature } from './signature.ts';

/**
 * What happens to the thinking blocks a caller sends back: kept, silently dropped (another model's), or refused (modified,
 * or behind a prefix they are not bound to, unless the caller asked for such blocks to be dropped).
 */
export interface ThinkingDropped {
  readonly type: 'thinking_dropped';
  readonly path: string;
  readonly reason: 'model_binding_mismatch' | 'prefix_binding_mismatch';
}

export interface BoundPrompt {
  readonly kind: 'bound';
  readonly pieces: readonly Piece[];
  readonly dropped: readonly ThinkingDropped[];
  /** Digest of the whole prompt as thinking is bound to it; also what the answer is derived from. */
  readonly prefix: string;
}

export function bindThinking(pieces: readonly Piece[], body: JsonObject, model: Model): BoundPrompt | ApiRefusal {
  const mayDrop = objectOf(objectOf(body['thinking'])['block_binding'])['prefix_mismatch_behavior'] === 'drop_block';
  const kept: Piece[] = [];
  const dropped: ThinkingDropped[] = [];
  let prefix = '';
  for (const piece of pieces) {
    const check = piece.type === 'thinking' ? checkPiece(piece, model, prefix) : 'valid';
    if (check === 'forged') return invalid(`${piece.path}: Invalid \`signature\` in \`thinking\` block`);
    if (check === 'other-prefix' && !mayDrop) return invalid(boundElsewhere(piece.path));
    if (check === 'other-prefix') dropped.push(droppedBlock(piece.path, 'prefix_binding_mismatch'));
    else if (check === 'other-model') dropped.push(droppedBlock(piece.path, 'model_binding_mismatch'));
    else kept.push(piece);
    if (!piece.type.endsWith('thinking')) prefix = digest(`${prefix}\n${piece.content}`);
  }
  return { kind: 'bound', pieces: kept, dropped, prefix };
}

function checkPiece(piece: Piece, model: Model, prefix: string) {
  return checkSignature(textOf(piece.block['signature']), model, prefix, textOf(piece.block['thinking']));
}

function droppedBlock(path: string, reason: ThinkingDropped['reason']): ThinkingDropped {
  return { type: 'thinking_dropped', path, reason };
}

function boundElsewhere(path: string): string {
  return `${path}: this \`thinking\` block can't be used here. The block is bound to a different conversation: everything before it must be sent back unchanged.`;
}
