import type { Label } from '../../core/label.ts';
import type { MaskStyle } from '../../core/obligation.ts';

/**
 * What columns tend to hold that not everybody may see: the label to give it, the mask that leaves what work needs, the
 * detectors that find it, and what its columns are called. Discovery and the packs of `sallyport init` both read these.
 */
export interface Kind {
  readonly label: Label;
  readonly mask: MaskStyle;
  /** Detectors whose finds are this. */
  readonly detectors?: readonly string[];
  /** Names of columns as words: `card number` stands for card_number, cardNumber and cardnumber, and for part of a longer name. */
  readonly names: readonly string[];
  /** Names that mean this in a table about people only. */
  readonly among?: readonly string[];
  /** Types besides text that may hold it. */
  readonly types?: readonly ('number' | 'date' | 'network')[];
  /** The same as patterns of column names, for label rules. */
  readonly columns: readonly string[];
}

export function list(text: string): readonly string[] {
  return text.split(', ');
}
