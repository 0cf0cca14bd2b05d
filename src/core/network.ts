/** A block of addresses: `10.0.0.0/8`, `2001:db8::/32`. An IPv4 address mapped into IPv6 is the IPv4 address. */
export interface AddressBlock {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
}

/** A block with no host bits set, or a lone address as a block of one. Undefined for anything else. */
export function parseBlock(text: string): AddressBlock | undefined {
  const [address = '', bits, ...more] = text.split('/');
  if (more.length > 0 || (bits !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bits))) return undefined;
  const family = address.includes(':') ? 6 : 4;
  const base = family === 6 ? ipv6(address) : ipv4(address);
  const width = family === 6 ? 128 : 32;
  const prefix = bits === undefined ? width : Number(bits);
  if (base === undefined || prefix > width) return undefined;
  if (base & ((1n << BigInt(width - prefix)) - 1n)) return undefined;
  if (family === 6 && prefix >= 96 && base >> 32n === MAPPED) {
    return { family: 4, base: base & 0xffff_ffffn, prefix: prefix - 96 };
  }
  return { family, base, prefix };
}

/** Every address of `inner` is one of `outer`. */
export function within(inner: AddressBlock, outer: AddressBlock): boolean {
  if (inner.family !== outer.family || inner.prefix < outer.prefix) return false;
  const shift = BigInt((outer.family === 4 ? 32 : 128) - outer.prefix);
  return inner.base >> shift === outer.base >> shift;
}

/** The address in one canonical spelling, an interface (`%eth0`) left off; undefined for what is not an address. */
export function canonicalAddress(text: string): string | undefined {
  const block = parseBlock(text.replace(/%[^/]*$/, ''));
  if (!block || text.includes('/')) return undefined;
  if (block.family === 4) return [24n, 16n, 8n, 0n].map((shift) => (block.base >> shift) & 0xffn).join('.');
  return Array.from({ length: 8 }, (_, i) => ((block.base >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':');
}

/** The first 96 bits of ::ffff:0:0/96. */
const MAPPED = 0xffffn;

function ipv4(address: string): bigint | undefined {
  const parts = address.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function ipv6(address: string): bigint | undefined {
  const halves = spellOutIpv4(address)?.split('::');
  if (!halves || halves.length > 2) return undefined;
  const [left = [], right] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const zeros = 8 - left.length - (right?.length ?? 0);
  if (right ? zeros < 1 : zeros !== 0) return undefined;
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...(right ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function spellOutIpv4(address: string): string | undefined {
  const dotted = /^(.*:)([\d.]+\.[\d.]+)$/.exec(address);
  if (!dotted) return address;
  const low = ipv4(dotted[2] ?? '');
  return low === undefined ? undefined : `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
}
