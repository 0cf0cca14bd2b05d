/** Numbers have 13 to 19 digits: one bit each. */
const [FEWEST, MOST] = [13, 19];

/** By the first four digits: which lengths of number are issued. */
const ISSUED: Uint8Array = Uint8Array.from({ length: 10_000 }, (_, prefix) => {
  let lengths = 0;
  for (let length = FEWEST; length <= MOST; length++) if (issues(prefix, length)) lengths |= 1 << (length - FEWEST);
  return lengths;
});

/** Whether cards are issued with this prefix of four digits and this number of digits. */
export function isIssued(prefix: number, length: number): boolean {
  return ((ISSUED[prefix] as number) & (1 << (length - FEWEST))) !== 0;
}

/** Ranges of ISO/IEC 7812 issuers that cards are issued in, and the lengths of their numbers. */
function issues(prefix: number, length: number): boolean {
  const two = Math.trunc(prefix / 100);
  if (prefix >= 4000 && prefix < 5000) return length === 13 || length === 16 || length === 19; // Visa
  if (two === 34 || two === 37) return length === 15; // American Express
  if (two === 30 || two === 36 || two === 38 || two === 39) return length === 14 || length === 16; // Diners Club
  if (two === 35) return length >= 16; // JCB
  if (prefix >= 2200 && prefix <= 2204) return length >= 16; // Mir
  if (prefix >= 2205 && prefix <= 2720) return length === 16; // Borica, Troy, Mastercard
  if (two >= 51 && two <= 55) return length === 16; // Mastercard
  if (two === 50 || (two >= 56 && two <= 58)) return true; // Maestro
  if (two === 81 || two === 82) return length >= 16; // UnionPay, RuPay
  return two >= 60 && two <= 69 && length >= 16; // Discover, UnionPay, RuPay, Maestro
}
