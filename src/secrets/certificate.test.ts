import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownCertificate } from './certificate.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-tls-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const DAY = 24 * 3_600_000;
const NOW = Date.now();

describe('the gateway’s own certificate', () => {
  it.each(['localhost', '127.0.0.1', 'gw.example.com'])(
    'is accepted for %s by who trusts its authority',
    async (host) => {
      const { certificate, key, ca } = await ownCertificate(dir, ['gw.example.com'], NOW);
      const server = createServer({ cert: certificate, key }, (socket) => socket.end('hello'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const dial = (options: object): Promise<string> =>
        new Promise((resolve, reject) => {
          const socket = connect({ port, host: '127.0.0.1', servername: '', ...options }, () =>
            socket.on('data', (data) => resolve(String(data))),
          );
          socket.on('error', reject);
        });
      const name = /^\d/.test(host) ? { host } : { servername: host };
      await expect(dial({ ...name, ca: readFileSync(ca) })).resolves.toBe('hello');
      await expect(dial({ ...name })).rejects.toMatchObject({ code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) });
      await expect(dial({ servername: 'other.example', ca: readFileSync(ca) })).rejects.toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
      server.close();
    },
  );

  it('is ECDSA on P-256, for 397 days, for servers only, with keys that nobody else may read', async () => {
    const { certificate, ca } = await ownCertificate(dir, ['::2', '10.0.0.9'], NOW);
    const server = new X509Certificate(certificate);
    expect(server.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(Date.parse(server.validTo) - NOW).toBeLessThanOrEqual(397 * DAY);
    expect(server.ca).toBe(false);
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(server.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:0:0:0:0:0:0:0:2, IP Address:10.0.0.9',
    );
    const authority = new X509Certificate(readFileSync(ca));
    expect(authority.ca).toBe(true);
    expect(server.checkIssued(authority)).toBe(true);
    for (const name of ['key.pem', 'ca.key']) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
  });

  it('stays the same until it is about to expire, and its authority stays beyond that', async () => {
    const first = await ownCertificate(dir, [], NOW);
    const authority = readFileSync(first.ca, 'utf8');
    await expect(ownCertificate(dir, [], NOW + 300 * DAY)).resolves.toEqual(first);
    const second = await ownCertificate(dir, [], NOW + 380 * DAY);
    expect(second.certificate).not.toBe(first.certificate);
    expect(readFileSync(first.ca, 'utf8')).toBe(authority);
    await ownCertificate(dir, [], NOW + 3600 * DAY);
    expect(readFileSync(first.ca, 'utf8')).not.toBe(authority);
  });

  it('is made anew for a host it does not name, and when its files do not belong together', async () => {
    const first = await ownCertificate(dir, [], NOW);
    const second = await ownCertificate(dir, ['db.example.com'], NOW);
    expect(second.certificate).not.toBe(first.certificate);
    writeFileSync(join(dir, 'cert.pem'), first.certificate);
    expect((await ownCertificate(dir, [], NOW)).certificate).not.toBe(first.certificate);
  });

  it.each(['*.example.com', 'a b', '', 'x'.repeat(64), '10.0.0.0/8', 'evil\0.example'])(
    'is refused for %j',
    async (host) => {
      await expect(ownCertificate(dir, [host], NOW)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    },
  );

  it('is a Fault that names the directory when a file in it cannot be read', async () => {
    await ownCertificate(dir, [], NOW);
    writeFileSync(join(dir, 'ca.key'), 'nonsense');
    await expect(ownCertificate(dir, [], NOW)).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      message: expect.stringContaining(dir),
    });
  });
});
