import type { ApprovalRequest, ApprovalState } from '../core/approval.ts';
import type { Wanted } from './request.ts';

/** Requests, kept. Implemented by the store; every method throws Fault STORE_UNAVAILABLE. */
export interface ApprovalStore {
  /**
   * The request that covers what is wanted, else one that waits for the same, else a new one: in one transaction, so
   * that two who ask for the same at once wait for the same answer. Times of the new one are the store's.
   */
  open(wanted: Wanted, fresh: NewRequest): Promise<ApprovalRequest>;
  /**
   * Changes a request under a lock on it, by the store's clock, and tells all workers. `change` returns undefined to
   * leave it as it is, or throws. Resolves to the request as it is then; throws Fault NOT_FOUND, EVIDENCE_BROKEN.
   */
  change(
    id: string,
    change: (request: ApprovalRequest, now: number) => ApprovalRequest | undefined,
  ): Promise<ApprovalRequest>;
  find(id: string): Promise<ApprovalRequest | undefined>;
  /** Newest first. */
  list(filter: RequestFilter): Promise<readonly ApprovalRequest[]>;
}

export type NewRequest = Omit<
  ApprovalRequest,
  'state' | 'answers' | 'createdAt' | 'expiresAt' | 'scope' | 'uses' | 'reviewDue'
> & {
  /** Milliseconds it stays open. */
  readonly lasts: number;
};

export interface RequestFilter {
  readonly states?: readonly ApprovalState[];
  /** Root principal of whoever asked. */
  readonly principal?: string;
  readonly reviewDue?: boolean;
  readonly limit: number;
}
