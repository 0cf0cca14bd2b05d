import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { sallyport } from '../src/cli/testing/run.ts';
import { freePort } from '../src/devtools/postgres.ts';
import { Gateway } from './testing/gateway.ts';

// What somebody on call sees of a gateway that is well, and of one that is not.

let gateway: Gateway | undefined;

afterEach(async () => {
  await gateway?.stop().catch(() => {});
  gateway = undefined;
});

interface Said {
  readonly ok: boolean;
  readonly findings: readonly { about: string; verdict: string; says: string; next?: string }[];
}

it('finds nothing wrong with a gateway that is well, and each thing that is', async () => {
  gateway = await Gateway.start({ ports: { https: 0, postgres: 0, health: await freePort() } });
  const cwd = gateway.directory;
  const { config } = gateway.world;
  const doctor = async (): Promise<Said & { code: number | null; of: (about: string) => string | undefined }> => {
    const { code, out } = await sallyport(['doctor', '--config', config, '--json'], { cwd });
    const said = JSON.parse(out) as Said;
    return { ...said, code, of: (about) => said.findings.find((one) => one.about === about)?.verdict };
  };

  const client = await gateway.client(await gateway.person('carol'));
  await client.query('select id from orders where id = 1');
  await client.end();
  const well = await doctor();
  expect(well.findings.filter(({ verdict }) => verdict === 'bad')).toEqual([]);
  expect(well).toMatchObject({ ok: true, code: 0 });
  expect(well.of('gateway')).toBe('good');
  expect(well.findings.map(({ about }) => about)).toEqual(
    expect.arrayContaining(['configuration', 'files', 'disk', 'certificate', 'target shop', 'evidence']),
  );
  expect(well.findings.filter(({ about }) => about.startsWith('provider')).map(({ verdict }) => verdict)).toContain(
    'good',
  );

  chmodSync(gateway.dataDirectory, 0o755);
  await gateway.world.idp.close();
  const words = readFileSync(config, 'utf8');
  writeFileSync(config, words.replace('version: 1', 'version: 1\nnonsense: 1'));
  const ill = await doctor();
  expect(ill).toMatchObject({ ok: false, code: 1 });
  expect(ill.of('configuration')).toBe('bad');
  writeFileSync(config, words);
  const open = await doctor();
  expect(open.of('files')).toBe('bad');
  expect(
    open.findings.filter(({ about }) => about.startsWith('provider')).every(({ verdict }) => verdict === 'bad'),
  ).toBe(true);
  chmodSync(gateway.dataDirectory, 0o700);

  await gateway.running.close();
  const down = await doctor();
  expect(down.of('gateway')).toBe('doubtful');
  expect(down.of('ports')).toBe('good');
  const told = await sallyport(['doctor', '--config', config], { cwd });
  expect(told.out).toMatch(/^! gateway: not running\n {2}→ sallyport serve$/m);
});
