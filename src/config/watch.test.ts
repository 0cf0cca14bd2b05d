import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Reading, readAll, type Watching, watchConfig } from './watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-watch-'));
const file = join(folder, 'sallyport.yaml');
const policies = join(folder, 'policies');
let watching: Watching | undefined;

afterEach(() => {
  watching?.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(): { last: Reading; next: () => Promise<Reading> } {
  mkdirSync(policies, { recursive: true });
  writeFileSync(file, 'version: 1\nurl: https://localhost:7443\n');
  writeFileSync(join(policies, 'main.cedar'), 'permit (principal, action, resource);');
  const last = readAll(file);
  if (!last.loaded.ok) throw new Error('the first reading must load');
  const heard: Reading[] = [];
  watching = watchConfig(last.loaded.config, last.hash, (reading) => heard.push(reading));
  const next = async (): Promise<Reading> => {
    for (let i = 0; i < 100 && heard.length === 0; i++) await new Promise((done) => setTimeout(done, 20));
    const reading = heard.shift();
    if (!reading) throw new Error('nothing was heard');
    return reading;
  };
  return { last, next };
}

describe('watching the configuration', () => {
  it('tells a changed policy, a replaced file and a broken file, and not a touched one', async () => {
    const { last, next } = start();
    writeFileSync(join(policies, 'main.cedar'), 'permit (principal, action, resource);');
    writeFileSync(join(policies, 'more.cedar'), 'forbid (principal, action, resource);');
    const first = await next();
    expect(first.hash).not.toBe(last.hash);
    expect(first.folder?.policies.map((policy) => policy.name)).toEqual(['main.cedar', 'more.cedar']);

    writeFileSync(`${file}~`, 'version: 1\nurl: https://gw.example.com\n');
    renameSync(`${file}~`, file);
    const second = await next();
    expect(second.loaded).toMatchObject({ ok: true, config: { url: 'https://gw.example.com' } });

    writeFileSync(file, 'version: 1\n');
    const third = await next();
    expect(third.loaded).toMatchObject({ ok: false });
  });
});
