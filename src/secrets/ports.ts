/** Sealed secrets, kept: the store sees ciphertext only. Every method throws Fault STORE_UNAVAILABLE. */
export interface SealedStore {
  put(name: string, sealed: Uint8Array, about: { readonly keyId: string; readonly by: string }): Promise<void>;
  get(name: string): Promise<Uint8Array | undefined>;
  /** False when there was none. */
  remove(name: string): Promise<boolean>;
  list(): Promise<readonly ListedSecret[]>;
}

export interface ListedSecret {
  readonly name: string;
  /** Which root key it was sealed under. */
  readonly keyId: string;
  readonly by: string;
  readonly at: number;
}
