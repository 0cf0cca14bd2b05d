import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRunning, lockDirectory } from './lock.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('a directory lock', () => {
  it('is held once, names its holder, and can be had again after its release', () => {
    const lock = lockDirectory(dir);
    expect(() => lockDirectory(dir)).toThrow(`process ${process.pid}`);
    lock.release();
    lockDirectory(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it.each([
    ['of a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, started: '' })],
    ['of an earlier process with this pid', JSON.stringify({ pid: process.pid, started: 'another boot/1' })],
    ['that cannot be read', 'nonsense'],
    ['that was never written', ''],
  ])('is taken over when it is one %s', (_name, text) => {
    writeFileSync(join(dir, 'lock'), text);
    const lock = lockDirectory(dir);
    expect(readdirSync(dir)).toEqual(['lock']);
    lock.release();
    expect(existsSync(join(dir, 'lock'))).toBe(false);
  });

  it('tells a running process from one that is not', () => {
    expect(isRunning(process.pid)).toBe(true);
    expect(isRunning(2 ** 22 + 1)).toBe(false);
  });
});
