import { Scanner } from '../detectors/scanner.ts';
import { bytesOf, textOf } from './rows.ts';

/** A text as one detector leaves it. */
export function covered(detector: string, text: string): string {
  const scanner = new Scanner([
    Object.assign({ kind: 'detect', detectors: [detector] } as const, { ['then' as const]: 'mask' as const }),
  ]);
  const bytes = bytesOf(text);
  scanner.scan(bytes, 0, bytes.length, 'text', () => undefined);
  return textOf(bytes);
}
