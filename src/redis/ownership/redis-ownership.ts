import type { Clock } from '../../core/clock.ts';
import type { ObjectKind } from '../../core/owned-objects.ts';
import { dropOldest } from '../../core/newest.ts';
import { CLAIM_LIFE_MS, type Listed, type OwnedObject, type Ownership } from '../../state/ownership.ts';
import type { Answered, AskRedis } from '../connection/ask-redis.ts';
import { createOwnershipScripts, type ListFrom } from './ownership-scripts.ts';
import type { RedisClient } from '../connection/redis-connections.ts';

/**
 * Ownership over all replicas: claims are kept for as long as Redis keeps its data. The newest that this process has made
 * are also kept here, so that it knows them while Redis is away, writes then what could not be written, and tells a Redis
 * that came back empty again. Without Redis what another process has claimed cannot be told from what is nobody's.
 */
export interface RedisOwnership extends Ownership {
  /** Writes what has not been written. */
  flush(): Promise<void>;
  /** Redis may have lost what it was told. */
  forgetWritten(): void;
}

export interface RedisOwnershipOptions {
  readonly redis: RedisClient;
  readonly clock: Clock;
  readonly ask: AskRedis;
  readonly isWell: () => boolean;
  readonly keyPrefix: string;
}

interface Claim {
  readonly tenantId: string;
  readonly kind: ObjectKind;
  readonly object: OwnedObject;
  isWritten: boolean;
}

/** Some 200 bytes each. */
const MAX_CLAIMS_KEPT = 10_000;
const BATCH_CLAIMS = 100;
const PATIENCE_MS = 2_000;
const ASK_AGAIN_MS = 100;

export function createRedisOwnership({ redis, clock, ask, isWell, keyPrefix }: RedisOwnershipOptions): RedisOwnership {
  const scripts = createOwnershipScripts(redis);
  const own = new Map<string, Claim>();
  const nameOf = (tenantId: string, kind: ObjectKind, id: string): string => `${kind} ${id} ${tenantId}`;
  const bookOf = (tenantId: string, kind: ObjectKind): string => `${keyPrefix}{t:${tenantId}}:owned:${kind}`;

  const write = async (claim: Claim): Promise<void> => {
    const { tenantId, kind, object } = claim;
    const answer = await ask(scripts.claim(bookOf(tenantId, kind), object, lifeOf(kind)));
    if (answer.kind === 'answered') claim.isWritten = true;
  };

  /** Nobody else can say whose an object is, so that a Redis that hiccups is given some time to be well again. */
  const patiently = async <Reply>(
    question: () => Promise<Answered<Reply>>,
    isKnownHere: () => boolean = () => false,
  ): Promise<Answered<Reply>> => {
    const untilMs = clock.nowMs() + PATIENCE_MS;
    for (;;) {
      const answer: Answered<Reply> = isWell() ? await question() : { kind: 'failed' };
      if (answer.kind === 'answered' || isKnownHere() || clock.nowMs() >= untilMs) return answer;
      await new Promise<void>((resolve) => void clock.after(ASK_AGAIN_MS, resolve));
    }
  };

  return {
    async claim(tenantId, kind, object) {
      const claim: Claim = { tenantId, kind, object, isWritten: false };
      own.set(nameOf(tenantId, kind, object.id), claim);
      dropOldest(own, MAX_CLAIMS_KEPT);
      if (isWell()) await write(claim);
    },
    async find(tenantId, kind, id) {
      const answer = await patiently(
        () => ask(scripts.find(bookOf(tenantId, kind), id, lifeOf(kind))),
        () => own.has(nameOf(tenantId, kind, id)),
      );
      const upstreamId = answer.kind === 'answered' ? answer.reply : null;
      if (upstreamId !== null) return { kind: 'owned', upstreamId };
      const claim = own.get(nameOf(tenantId, kind, id));
      const isOwn = claim && (answer.kind === 'failed' || !claim.isWritten);
      if (isOwn) return { kind: 'owned', upstreamId: claim.object.upstreamId };
      return { kind: answer.kind === 'failed' ? 'unreachable' : 'not_owned' };
    },
    async forget(tenantId, kind, id) {
      own.delete(nameOf(tenantId, kind, id));
      if (isWell()) await ask(scripts.forget(bookOf(tenantId, kind), id));
    },
    async list(tenantId, kind, { limit, from }) {
      const begin: ListFrom = from ?? { direction: 'newest', id: '' };
      const answer = await patiently(() => ask(scripts.list(bookOf(tenantId, kind), begin, limit + 1, lifeOf(kind))));
      return answer.kind === 'answered' ? listed(answer.reply, limit, begin) : { kind: 'unreachable' };
    },
    async flush() {
      const unwritten = [...own.values()].filter(({ isWritten }) => !isWritten);
      for (let at = 0; at < unwritten.length; at += BATCH_CLAIMS) {
        await Promise.all(unwritten.slice(at, at + BATCH_CLAIMS).map(write));
      }
    },
    forgetWritten() {
      for (const claim of own.values()) claim.isWritten = false;
    },
  };
}

/** As the scripts take it. */
function lifeOf(kind: ObjectKind): number {
  const lifeMs = CLAIM_LIFE_MS[kind];
  return Number.isFinite(lifeMs) ? lifeMs : 0;
}

/** One more was asked for than is told: it says whether there are more. */
function listed(reply: readonly string[] | null, limit: number, { direction }: ListFrom): Listed {
  if (reply === null) return { kind: 'not_owned' };
  const found: OwnedObject[] = [];
  for (let at = 0; at < reply.length; at += 2) {
    found.push({ id: reply[at] as string, upstreamId: reply[at + 1] as string });
  }
  const page = found.slice(0, limit);
  return {
    kind: 'listed',
    objects: direction === 'newer' ? page.toReversed() : page,
    hasMore: found.length > limit,
  };
}
