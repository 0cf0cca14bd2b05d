import { describe, expect, it } from 'vitest';
import { StillClock } from './testing/fakes.ts';
import { Throttle } from './throttle.ts';

const from = (address: string): { address: string; confidential: boolean } => ({ address, confidential: true });

function failTimes(throttle: Throttle, count: number, address: string, grant?: string): void {
  for (let i = 0; i < count; i++) throttle.failed(from(address), grant);
}

describe('the throttle', () => {
  it('closes to a source after twenty failures and opens again with time', () => {
    const clock = new StillClock();
    const throttle = new Throttle(clock);
    failTimes(throttle, 19, '10.0.0.1');
    expect(throttle.closed(from('10.0.0.1'))).toBe(false);
    throttle.failed(from('10.0.0.1'));
    expect(() => throttle.admit(from('10.0.0.1'))).toThrow(expect.objectContaining({ code: 'LOGIN_THROTTLED' }));
    expect(throttle.closed(from('10.0.0.2'))).toBe(false);
    clock.advance(6_000);
    expect(throttle.closed(from('10.0.0.1'))).toBe(false);
  });

  it('does not let strangers lock a holder out by guessing at the grant', () => {
    const throttle = new Throttle(new StillClock());
    for (let i = 0; i < 50; i++) throttle.failed(from(`10.0.1.${i}`), 'grant');
    expect(throttle.closed(from('10.0.1.7'), 'grant')).toBe(true);
    expect(throttle.closed(from('10.9.9.9'), 'grant')).toBe(false);
  });

  it.each([
    ['one IPv6 network', '2001:db8:1:2::1', '2001:0db8:0001:0002:ffff::9', true],
    ['two IPv6 networks', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['an IPv4 address and the same one mapped', '10.1.2.3', '::ffff:10.1.2.3', true],
    ['two mapped addresses', '::ffff:10.1.2.3', '::ffff:10.1.2.4', false],
    ['compressed and written out', '::1', '0:0:0:0:0:0:0:1', true],
  ])('takes %s for what it is', (_name, one, other, same) => {
    const throttle = new Throttle(new StillClock());
    failTimes(throttle, 20, one);
    expect(throttle.closed(from(other))).toBe(same);
  });

  it('remembers a bounded number of names', () => {
    const throttle = new Throttle(new StillClock());
    failTimes(throttle, 20, 'first');
    for (let i = 0; i < 10_000; i++) throttle.failed(from(`a${i}`));
    expect(throttle.closed(from('first'))).toBe(false);
    expect(throttle.closed(from('a9999'))).toBe(false);
  });
});
