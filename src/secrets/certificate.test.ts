import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ownCertificate } from './certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
const NOW = Date.now();
const YEAR = 365 * 24 * 3_600_000;

describe("the gateway's own certificate", () => {
  it('is signed by its own authority, for the names it is reached by', async () => {
    const own = await ownCertificate(folder, ['gw.example'], NOW);
    const leaf = new X509Certificate(own.certificate);
    const authority = new X509Certificate(readFileSync(own.ca));
    expect(leaf.checkIssued(authority) && leaf.verify(authority.publicKey)).toBe(true);
    expect(authority.ca && !leaf.ca).toBe(true);
    expect([leaf.checkHost('gw.example'), leaf.checkHost('localhost'), leaf.checkIP('127.0.0.1')]).not.toContain(
      undefined,
    );
    expect(leaf.checkHost('other.example')).toBeUndefined();
    expect(statSync(join(folder, 'key.pem')).mode & 0o077).toBe(0);
  });

  it('stays as it is until it is near its end or lacks a host; the authority stays throughout', async () => {
    const first = await ownCertificate(folder, ['gw.example'], NOW);
    expect(await ownCertificate(folder, ['gw.example'], NOW)).toEqual(first);
    const more = await ownCertificate(folder, ['gw.example', '10.1.2.3'], NOW);
    expect(more.key).not.toBe(first.key);
    const later = await ownCertificate(folder, ['gw.example', '10.1.2.3'], NOW + YEAR + YEAR / 12);
    expect(later.key).not.toBe(more.key);
    expect(new X509Certificate(later.certificate).verify(new X509Certificate(readFileSync(first.ca)).publicKey)).toBe(
      true,
    );
  });
});
