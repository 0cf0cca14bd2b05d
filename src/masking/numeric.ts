/** A decimal number in the binary format of `numeric`: base-10000 digits around the decimal point. */
export function spellNumeric(text: string): Uint8Array {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const head = whole.replace(/^0+/, '');
  const padded = head.padStart(Math.ceil(head.length / 4) * 4, '0');
  const tail = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const digits = (`${padded}${tail}`.match(/\d{4}/g) ?? []).map(Number);
  let weight = padded.length / 4 - 1;
  while (digits.length > 0 && digits[0] === 0) {
    digits.shift();
    weight -= 1;
  }
  while (digits.at(-1) === 0) digits.pop();
  if (digits.length === 0) weight = 0;

  const view = new DataView(new ArrayBuffer(8 + 2 * digits.length));
  view.setInt16(0, digits.length);
  view.setInt16(2, weight);
  view.setUint16(4, negative && digits.length > 0 ? 0x4000 : 0); // NUMERIC_NEG
  view.setUint16(6, fraction.length);
  for (const [index, digit] of digits.entries()) view.setInt16(8 + 2 * index, digit);
  return new Uint8Array(view.buffer);
}

/** Whether numeric(precision, scale) has room for a decimal number without rounding it. */
export function fitNumeric(text: string, modifier = -1): boolean {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const digits = whole.replace(/^0+/, '').length;
  if (modifier < 4 || (digits === 0 && /^0*$/.test(fraction))) return true;
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 0x400) - 0x400; // numeric_typmod_scale: 11 bits with a sign
  return scale >= 0 && scale <= precision && fraction.length <= scale && digits <= precision - scale;
}
