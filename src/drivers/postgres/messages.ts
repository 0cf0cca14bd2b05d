import { Backend, Frontend } from '../../wire/postgres/types.ts';

/** Messages without a body that the gateway sends on its own account. */
export const SYNC: Uint8Array = Uint8Array.of(Frontend.sync, 0, 0, 0, 4);
export const FLUSH: Uint8Array = Uint8Array.of(Frontend.flush, 0, 0, 0, 4);
export const TERMINATE: Uint8Array = Uint8Array.of(Frontend.terminate, 0, 0, 0, 4);
export const CLOSE_COMPLETE: Uint8Array = Uint8Array.of(Backend.closeComplete, 0, 0, 0, 4);
