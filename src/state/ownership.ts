import type { ObjectKind } from '../core/owned-objects.ts';

/**
 * Port: which batches and files a tenant has made, and at which upstream. Each tenant has a book of its own and is only ever
 * looked up there, so that the answer for another tenant's object is the answer for one that never was.
 *
 * A batch is remembered for 29 days, as long as its results can be had (docs: batch processing); a file until it is
 * deleted. For how long an engine itself remembers is said where it is made.
 */
export interface Ownership {
  /**
   * Never fails an exchange: what cannot be written now is known here, and written when it can. Again with the same id:
   * no change.
   */
  claim(tenantId: string, kind: ObjectKind, object: OwnedObject): Promise<void>;
  find(tenantId: string, kind: ObjectKind, id: string): Promise<Found>;
  forget(tenantId: string, kind: ObjectKind, id: string): Promise<void>;
  list(tenantId: string, kind: ObjectKind, page: ObjectPage): Promise<Listed>;
}

export interface OwnedObject {
  readonly id: string;
  readonly upstreamId: string;
}

export type Found =
  | { readonly kind: 'owned'; readonly upstreamId: string }
  | { readonly kind: 'not_owned' }
  | { /** The engine cannot be asked now. */ readonly kind: 'unreachable' };

export interface ObjectPage {
  readonly limit: number;
  /** Those that were claimed before (`older`) or after (`newer`) the object with this id; null: the newest of all. */
  readonly from: { readonly direction: 'older' | 'newer'; readonly id: string } | null;
}

export type Listed =
  | {
      readonly kind: 'listed';
      /** The newest first, whatever the direction, and next to where the page begins. */
      readonly objects: readonly OwnedObject[];
      /** There are more in this direction. */
      readonly hasMore: boolean;
    }
  | { /** The page begins at an object that is not the tenant's. */ readonly kind: 'not_owned' }
  | { readonly kind: 'unreachable' };

/** How long a claim lives (docs: batch processing, results). */
export const CLAIM_LIFE_MS: Readonly<Record<ObjectKind, number>> = {
  batches: 29 * 24 * 3_600_000,
  files: Number.POSITIVE_INFINITY,
};
