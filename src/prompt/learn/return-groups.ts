/**
 * Which counts a prefix belongs to. Groups run from coarse to fine, so that an estimate starts at the coarse one and moves
 * to the fine one as that has something to say. Ends of requests are described by what a gateway sees of a conversation
 * (turn, growth, gap, length); shared prefixes by how often and how lately they were met.
 */
import { createReturnCounts, type ReturnCounts } from './expectations.ts';

export interface ReturnGroups {
  readonly groups: Map<number, ReturnCounts>;
  readonly names: Map<string, number>;
}

/** More tenants and groups than this share the coarse ones. */
const MAX_NAMES = 65_536;
const MAX_GROUPS = 131_072;

export interface EndFeatures {
  readonly key: string;
  readonly tenant: string;
  readonly turn: number;
  readonly lengthTokens: number;
  /** Tokens since the last request of this conversation, and how long ago that was. */
  readonly growthTokens: number;
  readonly gapMs: number;
  /** How much of a first request was known before: nothing, its system prompt, more. */
  readonly familiarity: 0 | 1 | 2;
  /** Requests that went on from the same place before this one. */
  readonly siblings: number;
}

export interface SharedFeatures {
  readonly key: string;
  readonly tenant: string;
  readonly isSystemEnd: boolean;
  readonly passes: number;
  readonly gapMs: number;
}

/** Group ids: `traffic` by what the request looks like, `tenant` by whose it is, both starting at the same whole. */
export interface GroupIds {
  readonly traffic: readonly number[];
  readonly tenant: readonly number[];
}

export function createReturnGroups(): ReturnGroups {
  return { groups: new Map(), names: new Map() };
}

const FAMILY_SPAN = 2 ** 45;
const NAME_SPAN = 2 ** 24;

function id(family: number, feature = 0, name = 0): number {
  return family * FAMILY_SPAN + name * NAME_SPAN + feature;
}

export function endGroups(learned: ReturnGroups, features: EndFeatures): GroupIds {
  const returning = features.turn > 1;
  const turn = Math.min(features.turn, 4);
  const growth = returning ? bucket(features.growthTokens / 128, 9) : 0;
  const gap = returning ? bucket(features.gapMs / 1000, 12) : 0;
  const length = bucket(features.lengthTokens, 19);
  const novelty = returning ? Math.min(2, features.siblings) : features.familiarity;
  const sizeClass = growth < 3 ? 0 : growth < 5 ? 1 : 2;
  const traffic = returning
    ? [id(0), id(1, 1), id(2, turnClass(features.turn) * 4 + sizeClass), id(3, (growth * 16 + (gap >> 1)) * 8 + turn)]
    : [id(0), id(1, 0), id(4, (length >> 1) * 4 + novelty), id(5, length * 4 + novelty)];
  const key = nameOf(learned, features.key);
  const tenant = nameOf(learned, `${features.tenant}\n${features.key}`);
  return { traffic, tenant: [id(0), id(6, 0, key), id(7, 0, tenant), id(8, Math.min(3, features.turn), tenant)] };
}

export function sharedGroups(learned: ReturnGroups, features: SharedFeatures): GroupIds {
  const passes = bucket(features.passes, 6);
  const gap = bucket(features.gapMs / 1000, 12);
  const seen = passes * 16 + gap;
  const family = features.isSystemEnd ? 10 : 16;
  const key = nameOf(learned, features.key);
  const tenant = nameOf(learned, `${features.tenant}\n${features.key}`);
  return {
    traffic: [
      id(family),
      id(family + 1, passes),
      id(family + 2, seen),
      id(family + 3, seen, key),
      id(family + 4, passes, tenant),
    ],
    tenant: [],
  };
}

/** Names get their number when they are observed; before that, and beyond the bound, they are 0. */
function nameOf(learned: ReturnGroups, name: string): number {
  return learned.names.get(name) ?? 0;
}

export function learnName(learned: ReturnGroups, name: string): void {
  if (!learned.names.has(name) && learned.names.size < MAX_NAMES) learned.names.set(name, learned.names.size + 1);
}

/** The counts of these groups, made where they are missing and there is room. */
export function countsOf(learned: ReturnGroups, ids: GroupIds): ReturnCounts[] {
  const wanted = new Set([...ids.traffic, ...ids.tenant]);
  const counts: ReturnCounts[] = [];
  for (const group of wanted) {
    let found = learned.groups.get(group);
    if (!found && learned.groups.size < MAX_GROUPS) learned.groups.set(group, (found = createReturnCounts()));
    if (found) counts.push(found);
  }
  return counts;
}

function turnClass(turn: number): number {
  if (turn < 4) return turn;
  return turn < 7 ? 4 : turn < 12 ? 5 : 6;
}

/** Logarithm to the base 2, floored and bounded. */
function bucket(value: number, highest: number): number {
  return Math.min(highest, Math.floor(Math.log2(Math.max(0, value) + 1)));
}
