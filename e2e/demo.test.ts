import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

// The story that newcomers see first is played as they would play it.

const LAUNCHER = join(import.meta.dirname, '..', 'bin', 'sallyport.js');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-story-'));
  chmodSync(folder, 0o755); // as /tmp is: root's server has an account of its own
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function play(env: NodeJS.ProcessEnv = {}): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, TMPDIR: folder, ...env }, timeout: 110_000 };
    execFile(process.execPath, [LAUNCHER, 'demo', '--once'], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}

describe('npm run demo', () => {
  it('plays every step, fits on 80 columns, and leaves nothing behind', { timeout: 120_000 }, async () => {
    const { code, output } = await play({ FORCE_COLOR: undefined, NO_COLOR: '1' });
    expect(output).toContain('Every step was as it should be');
    expect(code).toBe(0);
    expect(output.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(output).not.toMatch(/\u001b/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes other ports when its own are taken', { timeout: 120_000 }, async () => {
    const squatter = createServer();
    // Somebody else may hold it already: as good.
    await new Promise<void>((resolve) => {
      squatter.once('error', () => resolve());
      squatter.listen(7432, '127.0.0.1', resolve);
    });
    const { code, output } = await play({ NO_COLOR: '1' });
    squatter.close();
    expect(code).toBe(0);
    expect(output).not.toContain('port=7432');
  });
});
