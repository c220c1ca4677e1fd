import { createNewest } from '../../core/newest.ts';
import type { RemoteCalls } from './remote-call.ts';
import type { Asker, Remotes, TenantNews, TenantWord } from '../remote.ts';

/**
 * What this isolate and the objects of its tenants say to each other beside slots: a word comes with every slot and is
 * heard by whoever has a use for it; news of this isolate is told when there is some, after the fact. All of it is plain
 * data, so that what one request has heard serves the next.
 */
export interface TenantWords {
  /** What the tenant's object needs to know of who asks. */
  asker(tenant: string): Asker;
  hear(tenant: string, word: TenantWord): void;
  tell(tenant: string, news: Partial<TenantNews>): void;
}

export interface TenantWordsParts {
  readonly remotes: Pick<Remotes, 'tenant'>;
  readonly calls: RemoteCalls;
  readonly newName: () => string;
  readonly onWord: (tenant: string, word: TenantWord) => void;
}

/** Some 100 bytes each. */
const MAX_TENANTS = 10_000;

export function createTenantWords({ remotes, calls, newName, onWord }: TenantWordsParts): TenantWords {
  const heardTo = createNewest<string, number>(MAX_TENANTS);
  let name: string | null = null; // a Worker has no random numbers before its first request
  const isolate = (): string => (name ??= newName());
  return {
    asker: (tenant) => ({ isolate: isolate(), heardTo: heardTo.get(tenant) ?? 0 }),
    hear(tenant, word) {
      if (word.version > (heardTo.get(tenant) ?? 0)) heardTo.set(tenant, word.version);
      onWord(tenant, word);
    },
    tell(tenant, { written = [], places = [] }) {
      calls.tell(() => remotes.tenant(tenant).tell(isolate(), { written, places }));
    },
  };
}
