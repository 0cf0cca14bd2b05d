/** Texts that databases hold, and some that an attacker would choose: what a scanner of bytes can be slow on. */

const WORDS = 'the quick brown fox jumps over a lazy dog while nobody is looking at order and invoice'.split(' ');
const HEX = '0123456789abcdef';
const DIGITS = '0123456789';
const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Always the same numbers: reports are compared. */
class Dice {
  #state = 1;

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return this.#state % limit;
  }

  from(alphabet: string, length: number): string {
    return this.list(length, () => alphabet[this.below(alphabet.length)] ?? '').join('');
  }

  list(length: number, one: () => string): string[] {
    return Array.from({ length }, one);
  }
}

const KINDS: Readonly<Record<string, (dice: Dice) => string>> = {
  prose: (dice) => dice.list(20, () => WORDS[dice.below(WORDS.length)] ?? '').join(' '),
  'short words': (dice) => WORDS[dice.below(WORDS.length)] ?? '',
  'hex digits': (dice) => dice.from(HEX, 64),
  'long hex digits': (dice) => dice.from(HEX, 4_000),
  digits: (dice) => dice.from(DIGITS, 16),
  'groups of digits': (dice) => dice.list(12, () => dice.from(DIGITS, 4)).join(' '),
  uuids: (dice) => [8, 4, 4, 4, 12].map((length) => dice.from(HEX, length)).join('-'),
  timestamps: (dice) => `2026-11-${dice.from('12', 2)} 12:${dice.from('01234', 2)}:30.${dice.from(DIGITS, 6)}+00`,
  base64: (dice) => dice.from(`${CAPITALS}${CAPITALS.toLowerCase()}${DIGITS}+/`, 88),
  addresses: (dice) => dice.list(5, () => `${dice.from(HEX, 8)}@${dice.from('abcdef', 8)}.example`).join(', '),
  'IP addresses': (dice) => dice.list(8, () => dice.list(4, () => String(dice.below(256))).join('.')).join(' '),
  capitals: (dice) => dice.from(CAPITALS + DIGITS, 60),
  JSON: (dice) => JSON.stringify({ id: dice.below(1e9), name: dice.from('abcdef', 9), price: dice.below(1e5) / 100 }),
  URLs: (dice) => `https://shop.example:8443/p/${dice.below(1e6)}?s=${dice.from(HEX, 20)}`,
  'log lines': (dice) =>
    `2026-11-30 00:11:30 [${dice.below(1e5)}] GET /orders/${dice.below(1e6)} 200 ${dice.below(900)}ms`,
  'at signs': () => '@'.repeat(60),
  dashes: (dice) => dice.from('_-', 60),
  colons: (dice) => dice.from(':f0', 60),
  'phone numbers': (dice) => dice.list(5, () => `+1 212 555 ${dice.from(DIGITS, 4)}`).join(', '),
  'numbers in dashes': (dice) =>
    dice.list(6, () => `${dice.from(DIGITS, 3)}-${dice.from(DIGITS, 2)}-${dice.from(DIGITS, 4)}`).join(' '),
};

export interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where each cell begins, and the end. */
  readonly borders: readonly number[];
}

/** Cells of each kind, `size` bytes of them or a little more. */
export function samples(size: number): readonly Sample[] {
  const encoder = new TextEncoder();
  return Object.entries(KINDS).map(([name, make]) => {
    const dice = new Dice();
    const cells: Uint8Array[] = [];
    const borders = [0];
    for (let length = 0; length < size; borders.push(length)) {
      const cell = encoder.encode(make(dice));
      cells.push(cell);
      length += cell.length;
    }
    return { name, bytes: Buffer.concat(cells), borders };
  });
}
