import type { PrefixForest, PrefixNode, VolatileAdvice } from '../../console/contract.ts';
import { mergeForests } from '../../console/merge-forests.ts';
import type { IdOfPrefix } from '../../console/prefix-forest.ts';
import { volatileAdviceOf } from '../../console/volatile-advice.ts';
import type { VolatileBlock } from '../../prompt/volatile-prefix.ts';

/**
 * What the traffic of several isolates has taught about prompts, as one. Among themselves isolates and hub name a prefix by
 * its hash; who looks is given the hub's own names for them, from which no guess at a text can be confirmed.
 */
export const hashAsId: IdOfPrefix = String;

export function mergePrefixes(forests: readonly PrefixForest[], idOf: IdOfPrefix): PrefixForest {
  const renamed = ({ id, children, ...node }: PrefixNode): PrefixNode => {
    return { ...node, id: idOf(Number(id)), children: children.map(renamed) };
  };
  const { trees, ...forest } = mergeForests(forests);
  return { ...forest, trees: trees.map(({ roots, ...tree }) => ({ ...tree, roots: roots.map(renamed) })) };
}

/** The same place of the same tenant's prompts is the same block. */
export function mergeAdvice(all: readonly VolatileAdvice[]): VolatileAdvice[] {
  const alike = Map.groupBy(all, ({ tenant, model, place }) => JSON.stringify([tenant, model, place]));
  return volatileAdviceOf([...alike.values()].map((blocks) => blocks.reduce<VolatileBlock>(together, NOTHING)));
}

const NOTHING = { tenant: '', model: '', place: '', requests: 0, changes: 0, tokensBehind: 0, requestsPerDay: 0 };

function together(one: VolatileBlock, { tenant, model, place, ...other }: VolatileBlock): VolatileBlock {
  const requests = one.requests + other.requests;
  const tokensBehind = (one.tokensBehind * one.requests + other.tokensBehind * other.requests) / requests;
  const [changes, requestsPerDay] = [one.changes + other.changes, one.requestsPerDay + other.requestsPerDay];
  return { tenant, model, place, requests, changes, tokensBehind, requestsPerDay };
}
