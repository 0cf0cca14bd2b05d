import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../core/fault.ts';
import type { PassVerifier } from './ports.ts';
import { ScramServer } from './scram.ts';
import { TestScramClient } from './testing/scram-client.ts';

function keysOf(password: string, salt: Uint8Array): PassVerifier['scram'] {
  const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  return {
    salt,
    iterations: 4096,
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: createHmac('sha256', salted).update('Server Key').digest(),
  };
}

const keys = keysOf('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
const certificate = createHash('sha256').update('certificate').digest();

describe('the exchange of RFC 7677 section 3', () => {
  it('goes as printed there', () => {
    const server = new ScramServer(undefined);
    server.receive('SCRAM-SHA-256', 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    expect(server.challenge(keys, '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0')).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    const final =
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
    expect(server.verify(final)).toEqual({ serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=' });
  });
});

describe('channel binding', () => {
  const header = 'p=tls-server-end-point,,';

  it('holds when both sides saw the same certificate', () => {
    const client = new TestScramClient('pencil', { header, binding: certificate });
    const server = new ScramServer(certificate);
    server.receive('SCRAM-SHA-256-PLUS', client.first);
    const verdict = server.verify(client.final(server.challenge(keys, 'server')));
    expect('serverFinal' in verdict && client.accepts(verdict.serverFinal)).toBe(true);
    expect(server.bound).toBe(true);
  });

  it('fails when the client saw the certificate of somebody in between', () => {
    const client = new TestScramClient('pencil', { header, binding: createHash('sha256').update('other').digest() });
    const server = new ScramServer(certificate);
    server.receive('SCRAM-SHA-256-PLUS', client.first);
    expect(server.verify(client.final(server.challenge(keys, 'server')))).toEqual({ wrong: 'channel binding' });
  });

  it('is not needed from a client that cannot, even where it is offered', () => {
    const client = new TestScramClient('pencil', { header: 'n,,' });
    const server = new ScramServer(certificate);
    server.receive('SCRAM-SHA-256', client.first);
    expect(server.verify(client.final(server.challenge(keys, 'server')))).toHaveProperty('serverFinal');
    expect(server.bound).toBe(false);
  });

  it('takes a client that could bind, where it was not offered', () => {
    const client = new TestScramClient('pencil', { header: 'y,,' });
    const server = new ScramServer(undefined);
    server.receive('SCRAM-SHA-256', client.first);
    expect(server.verify(client.final(server.challenge(keys, 'server')))).toHaveProperty('serverFinal');
  });

  it('fails when the header is replayed as another one', () => {
    const client = new TestScramClient('pencil', { header: 'y,,' });
    const server = new ScramServer(undefined);
    server.receive('SCRAM-SHA-256', client.first);
    const final = client.final(server.challenge(keys, 'server'));
    expect(server.verify(final.replace('c=eSws', 'c=biws'))).toEqual({ wrong: 'channel binding' });
  });
});

describe('a first message is refused for', () => {
  it.each([
    ['an unknown mechanism', undefined, 'SCRAM-SHA-1', 'n,,n=,r=abc', 'PROTOCOL_UNSUPPORTED'],
    [
      '-PLUS that was not offered',
      undefined,
      'SCRAM-SHA-256-PLUS',
      'p=tls-server-end-point,,n=,r=abc',
      'PROTOCOL_UNSUPPORTED',
    ],
    ['a lost offer of -PLUS (downgrade)', certificate, 'SCRAM-SHA-256', 'y,,n=,r=abc', 'PROTOCOL_UNEXPECTED'],
    ['binding without -PLUS', certificate, 'SCRAM-SHA-256', 'p=tls-server-end-point,,n=,r=abc', 'PROTOCOL_MALFORMED'],
    ['-PLUS without binding', certificate, 'SCRAM-SHA-256-PLUS', 'n,,n=,r=abc', 'PROTOCOL_UNSUPPORTED'],
    ['another kind of binding', certificate, 'SCRAM-SHA-256-PLUS', 'p=tls-unique,,n=,r=abc', 'PROTOCOL_UNSUPPORTED'],
    ['an authorisation identity', undefined, 'SCRAM-SHA-256', 'n,a=root,n=,r=abc', 'PROTOCOL_UNSUPPORTED'],
    ['a mandatory extension', undefined, 'SCRAM-SHA-256', 'n,,m=x,n=,r=abc', 'PROTOCOL_UNSUPPORTED'],
    ['an extension', undefined, 'SCRAM-SHA-256', 'n,,n=,r=abc,x=1', 'PROTOCOL_MALFORMED'],
    ['no nonce', undefined, 'SCRAM-SHA-256', 'n,,n=,r=', 'PROTOCOL_MALFORMED'],
    ['a nonce with a blank', undefined, 'SCRAM-SHA-256', 'n,,n=,r=a b', 'PROTOCOL_MALFORMED'],
    ['a NUL', undefined, 'SCRAM-SHA-256', 'n,,n=a\0b,r=abc', 'PROTOCOL_MALFORMED'],
    ['a lone equals sign in the name', undefined, 'SCRAM-SHA-256', 'n,,n=a=b,r=abc', 'PROTOCOL_MALFORMED'],
    ['an unknown flag', undefined, 'SCRAM-SHA-256', 'q,,n=,r=abc', 'PROTOCOL_MALFORMED'],
    ['nothing in it', undefined, 'SCRAM-SHA-256', '', 'PROTOCOL_MALFORMED'],
    ['its length', undefined, 'SCRAM-SHA-256', `n,,n=${'a'.repeat(3000)},r=abc`, 'PROTOCOL_LIMIT'],
  ])('%s', (_name, cert, mechanism, message, code) => {
    expect(() => new ScramServer(cert).receive(mechanism, message)).toThrow(expect.objectContaining({ code }));
  });
});

function started(): { server: ScramServer; final: string } {
  const client = new TestScramClient('pencil');
  const server = new ScramServer(undefined);
  server.receive('SCRAM-SHA-256', client.first);
  return { server, final: client.final(server.challenge(keys, 'servernonce')) };
}

describe('a final message', () => {
  it.each([
    ['another nonce', (final: string) => final.replace('servernonce', 'servernoncf')],
    ["only the client's part of the nonce", (final: string) => final.replace('servernonce', '')],
    ['no proof', (final: string) => final.replace(/,p=.*/, '')],
    ['a short proof', (final: string) => final.replace(/,p=.*/, ',p=AAAA')],
    ['base64 with loose bits', (final: string) => final.replace(/,p=.*/, `,p=${'A'.repeat(42)}B=`)],
    ['an extension', (final: string) => final.replace(',p=', ',x=1,p=')],
    ['text behind the proof', (final: string) => `${final},x=1`],
  ])('with %s is malformed', (_name, spoil) => {
    const { server, final } = started();
    expect(() => server.verify(spoil(final))).toThrow(expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }));
  });

  it('counts once', () => {
    const { server, final } = started();
    expect(server.verify(final)).toHaveProperty('serverFinal');
    expect(() => server.verify(final)).toThrow(expect.objectContaining({ code: 'PROTOCOL_UNEXPECTED' }));
  });

  it('cannot be tried again after a wrong one', () => {
    const { server, final } = started();
    expect(server.verify(final.replace(/,p=.*/, `,p=${'A'.repeat(43)}=`))).toEqual({ wrong: 'proof' });
    expect(() => server.verify(final)).toThrow(Fault);
  });

  it('of one exchange is worth nothing in another', () => {
    const { final } = started();
    const server = new ScramServer(undefined);
    server.receive('SCRAM-SHA-256', new TestScramClient('pencil').first);
    server.challenge(keys, 'othernonce!');
    expect(() => server.verify(final)).toThrow(Fault);
  });

  it('never verifies once anything in it was changed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 33, max: 126 }), (position, code) => {
        const { server, final } = started();
        const at = position % final.length;
        const changed = final.slice(0, at) + String.fromCharCode(code) + final.slice(at + 1);
        fc.pre(changed !== final);
        expect(outcome(() => server.verify(changed))).not.toHaveProperty('serverFinal');
      }),
      { numRuns: 60 },
    );
  });

  it('is refused for a wrong password', () => {
    const client = new TestScramClient('pencils');
    const server = new ScramServer(undefined);
    server.receive('SCRAM-SHA-256', client.first);
    expect(server.verify(client.final(server.challenge(keys, 'x')))).toEqual({ wrong: 'proof' });
  });
});

describe('any input', () => {
  it('gives a verdict or a Fault, nothing else', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[npy],,n=[a-z]*,r=[!-~]*$/));
    fc.assert(
      fc.property(text, text, fc.boolean(), (first, final, plus) => {
        const server = new ScramServer(plus ? certificate : undefined);
        const result = outcome(() => {
          server.receive('SCRAM-SHA-256', first);
          server.challenge(keys, 'nonce');
          return server.verify(final);
        });
        expect(result).not.toHaveProperty('serverFinal');
      }),
    );
  });

  it('out of turn is a Fault', () => {
    expect(() => new ScramServer(undefined).challenge(keys, 'x')).toThrow(Fault);
    expect(() => new ScramServer(undefined).verify('c=biws,r=x,p=')).toThrow(Fault);
  });
});

function outcome(step: () => object): object {
  try {
    return step();
  } catch (thrown) {
    if (thrown instanceof Fault) return { fault: thrown.code };
    throw thrown;
  }
}
