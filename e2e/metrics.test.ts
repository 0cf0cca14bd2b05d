import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { freePort } from '../src/devtools/postgres.ts';
import { Gateway } from './testing/gateway.ts';

// What an operator's Prometheus sees of a gateway at work.

let gateway: Gateway | undefined;

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

it('counts what was done, and tells nobody whose it was', async () => {
  const health = await freePort();
  gateway = await Gateway.start({ ports: { https: 0, postgres: 0, health } });
  const scrape = async (): Promise<Map<string, number>> => {
    const response = await fetch(`http://127.0.0.1:${health}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('version=0.0.4');
    const text = await response.text();
    expect(text).not.toMatch(/carol|orders|sekrit/);
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  };

  const client = await gateway.client(await gateway.person('carol'));
  const before = await scrape();
  expect(before.get('sallyport_sessions')).toBe(1);
  expect(before.get('sallyport_ready')).toBe(1);
  for (let n = 0; n < 3; n++) await client.query('select id from orders order by id limit 2');
  await expect(client.query("drop table orders -- 'sekrit'")).rejects.toThrow();
  const after = await scrape();
  const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  expect(grown('sallyport_operations_total{target="shop",decision="permit",reason=""}')).toBe(3);
  const denied = [...after.keys()].filter((name) => /decision="deny",reason="[a-z-]+"/.test(name));
  expect(denied.reduce((sum, name) => sum + grown(name), 0)).toBe(1);
  expect(grown('sallyport_rows_total{target="shop"}')).toBe(6);
  expect(grown('sallyport_result_bytes_total{target="shop"}')).toBeGreaterThan(60);
  expect(grown('sallyport_gate_seconds_count{target="shop"}')).toBe(4);
  expect(grown('sallyport_parse_seconds_count{target="shop"}')).toBe(2);
  expect(grown('sallyport_mask_seconds_count{target="shop"}')).toBeGreaterThanOrEqual(3);
  expect(grown('sallyport_evidence_records_total')).toBeGreaterThanOrEqual(4);
  expect(after.get('sallyport_upstream_connections{target="shop"}')).toBe(1);

  await client.end();
  writeFileSync(join(gateway.directory, 'policies', 'more.cedar'), 'permit (principal -- no Cedar');
  for (let n = 0; n < 50 && (await scrape()).get('sallyport_config_reloads_total{outcome="refused"}') === 0; n++) {
    await sleep(100);
  }
  const last = await scrape();
  expect(last.get('sallyport_config_reloads_total{outcome="refused"}')).toBe(1);
  expect(last.get('sallyport_sessions')).toBe(0);
  expect(last.get('sallyport_logins_total{outcome="accepted"}')).toBe(1);
});
