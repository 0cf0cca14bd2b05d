/** Sealed secrets, kept: the store sees ciphertext only. Every method throws Fault STORE_UNAVAILABLE. */
export interface SealedStore {
  put(name: string, sealed: Uint8Array, about: SealedAbout): Promise<void>;
  get(name: string): Promise<Uint8Array | undefined>;
  /**
   * Puts, or with no `next` removes, if what is kept is still `expected` (undefined: nothing). False, and nothing done,
   * where it is not: of two who try, one succeeds.
   */
  swap(
    name: string,
    expected: Uint8Array | undefined,
    next: Uint8Array | undefined,
    about: SealedAbout,
  ): Promise<boolean>;
  /** False when there was none. */
  remove(name: string): Promise<boolean>;
  list(): Promise<readonly ListedSecret[]>;
}

export interface SealedAbout {
  readonly keyId: string;
  readonly by: string;
}

export interface ListedSecret {
  readonly name: string;
  /** Which root key it was sealed under. */
  readonly keyId: string;
  readonly by: string;
  readonly at: number;
}
