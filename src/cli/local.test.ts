import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DETECTORS } from '../config/build.ts';
import { DETECTORS as BUILT_IN } from '../masking/detectors/scanner.ts';
import { sallyport } from './testing/run.ts';

// What works without a gateway.

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sallyport', () => {
  it('shows every command with a description, and its version', async () => {
    const { code, out } = await sallyport(['--help'], { cwd: folder, bin: true });
    expect(code).toBe(0);
    for (const name of [
      'init',
      'check',
      'serve',
      'demo',
      'login',
      'pass',
      'connect',
      'targets',
      'sessions',
      'replay',
      'explain',
      'audit',
    ]) {
      expect(out).toMatch(new RegExp(`^ {2}${name}\\b.* {2}[A-Z]`, 'm'));
    }
    expect((await sallyport(['--version'], { cwd: folder })).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['frobnicate'], 'unknown command'],
    [['chek'], 'Did you mean check'],
    [['check', '--jsn'], 'Did you mean --json'],
    [['explain', 'select 1'], '--on'],
    [['pass', 'issue', '--expires', 'soon'], '90s, 15m, 1h'],
    [['replay'], 'session'],
  ])('says what is wrong with %j', async (args, said) => {
    const { code, out, err } = await sallyport(args, { cwd: folder });
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(said);
    expect(err).not.toMatch(/\n {4}at /);
  });

  it('says where to find a gateway when there is none', async () => {
    const { code, err } = await sallyport(['sessions'], { cwd: folder });
    expect(code).toBe(1);
    expect(err).toContain('no gateway is known here');
    expect(err).toContain('sallyport serve');
  });
});

it('the configuration knows the detectors there are', () => {
  expect(DETECTORS).toEqual([...BUILT_IN]);
});

describe('init and check', () => {
  it('write a folder that has no errors, and never overwrite it', async () => {
    const written = await sallyport(['init'], { cwd: folder });
    expect(written.code).toBe(0);
    expect(written.out.split('\n')[0]).toBe('sallyport.yaml');
    expect(readdirSync(at('policies')).length).toBeGreaterThan(1);
    expect(statSync(at('sallyport.yaml')).mode & 0o022).toBe(0);

    const checked = await sallyport(['check', '--strict'], { cwd: folder });
    expect(checked.err).toContain('no errors');
    expect(checked).toMatchObject({ code: 0, out: '' });

    const before = readFileSync(at('sallyport.yaml'), 'utf8');
    const again = await sallyport(['init'], { cwd: folder });
    expect(again.code).toBe(1);
    expect(again.err).toContain('already there');
    expect(readFileSync(at('sallyport.yaml'), 'utf8')).toBe(before);
  });

  it('find what is wrong in the configuration, the policies and their tests', async () => {
    writeFileSync(at('policies/broken.cedar'), '// mine\npermit (principal, action == Action::"selekt", resource);\n');
    const policy = await sallyport(['check'], { cwd: folder });
    expect(policy.code).toBe(1);
    expect(policy.out).toMatch(/^policies\/broken\.cedar:2:\d+ .*selekt/m);
    rmSync(at('policies/broken.cedar'));

    writeFileSync(
      at('policies/mine.test.yaml'),
      '- { name: carol drops, as: { name: carol }, action: ddl, resource: shop/shop/public/orders, expect: permit }\n',
    );
    const test = await sallyport(['check'], { cwd: folder });
    expect(test.code).toBe(1);
    expect(test.out).toMatch(/^policies\/mine\.test\.yaml:1:\d+ "carol drops" expects permit, and it is deny/m);
    writeFileSync(at('policies/mine.test.yaml'), '- { name: x, as: { name: carol }, acton: ddl, expect: permit }\n');
    expect((await sallyport(['check'], { cwd: folder })).out).toContain('did you mean "action"?');
    rmSync(at('policies/mine.test.yaml'));

    const config = readFileSync(at('sallyport.yaml'), 'utf8');
    writeFileSync(
      at('sallyport.yaml'),
      config.replace('  - { name: dba-oncall, ask: [dba] }', '  - { name: dba-offcall, ask: [dba] }'),
    );
    expect((await sallyport(['check'], { cwd: folder })).out).toContain('names no approval rule');
    writeFileSync(at('sallyport.yaml'), config.replace('targets:', 'tragets:'));
    const json = await sallyport(['check', '--json'], { cwd: folder });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      problems: [
        { severity: 'error', file: 'sallyport.yaml', message: expect.stringContaining('did you mean "targets"') },
      ],
    });
    writeFileSync(at('sallyport.yaml'), config);
  });
});
