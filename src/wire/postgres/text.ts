import { Fault } from '../../core/fault.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Strict UTF-8: throws Fault PROTOCOL_ENCODING where a lenient decoder would put replacement characters. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new Fault('PROTOCOL_ENCODING', 'text is not valid UTF-8', { cause });
  }
}

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}
