import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadSigner } from '../audit/signing.ts';
import { openEvidence } from '../audit/writer.ts';
import { Fault } from '../core/fault.ts';
import { sallyport } from './testing/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-verify-'));
const data = join(folder, 'var');

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Evidence of a gateway that has stopped. */
async function write(): Promise<void> {
  const refuse = (): never => {
    throw new Fault('SECRET_UNAVAILABLE', 'nothing is recorded in this test');
  };
  const writer = await openEvidence({
    dir: join(data, 'evidence'),
    node: 'gw-1',
    worker: 0,
    durability: 'process',
    sealer: { key: refuse },
    signer: loadSigner(join(data, 'keys')),
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    alarm: () => undefined,
  });
  for (let i = 0; i < 20; i++)
    await writer.audit({ v: 1, type: 'node.start', at: new Date().toISOString(), number: i });
  await writer.close();
}

describe('audit verify', () => {
  it('verifies what is whole, names what is not, and takes no evidence for none', async () => {
    const none = await sallyport(['audit', 'verify', '--data', data], { cwd: folder });
    expect(none.code).toBe(1);

    await write();
    const whole = await sallyport(['audit', 'verify', '--data', data], { cwd: folder });
    expect(whole.err).toContain('Everything verifies');
    expect(whole.code).toBe(0);
    const json = await sallyport(['audit', 'verify', '--data', data, '--json'], { cwd: folder });
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, chains: [{ writer: 'gw-1-0' }] });

    const chain = join(data, 'evidence', 'gw-1-0');
    const segment = join(chain, readdirSync(chain).find((name) => name.endsWith('.seg')) ?? '');
    const bytes = readFileSync(segment);
    writeFileSync(segment, bytes.toString('latin1').replace('"number":7', '"number":8'), 'latin1');
    const broken = await sallyport(['audit', 'verify', '--data', data], { cwd: folder });
    expect(broken.code).toBe(1);
    expect(broken.out).toMatch(/broken gw-1-0\/\d+\.seg:\d+/);

    writeFileSync(segment, bytes);
    writeFileSync(join(folder, 'other.pub'), 'not a key');
    const key = await sallyport(['audit', 'verify', '--data', data, '--key', join(folder, 'other.pub')], {
      cwd: folder,
    });
    expect(key.code).toBe(1);
  });
});
