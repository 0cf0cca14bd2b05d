/** An inet's bits and bytes, from its text; undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  const [address = '', bits] = text.split('/');
  const bytes = address.includes(':') ? bytesOfIpv6(address) : bytesOfIpv4(address);
  if (bytes === undefined) return undefined;
  return `${bits ?? bytes.length * 8} ${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function bytesOfIpv4(text: string): number[] | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part < 256) ? parts : undefined;
}

/** As inet_net_ntop writes it: at most one `::`, and an IPv4 address may stand at the end. */
function bytesOfIpv6(text: string): number[] | undefined {
  const [head = '', tail, ...more] = text.split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  if (before === undefined || after === undefined || more.length > 0) return undefined;
  const missing = 16 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 0) return undefined;
  return [...before, ...Array.from({ length: missing }, () => 0), ...after];
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  for (const group of text.split(':')) {
    const ipv4 = bytesOfIpv4(group);
    if (ipv4) bytes.push(...ipv4);
    else if (/^[0-9a-f]{1,4}$/i.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255);
    else return undefined;
  }
  return bytes;
}
