import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudit } from '../src/audit/reader.ts';
import { sallyport } from '../src/cli/testing/run.ts';
import { parseConfig } from '../src/config/load.ts';
import { SHOP_USER } from '../src/devtools/shop.ts';
import { Gateway } from './testing/gateway.ts';

// Finding what to label, as an operator does it: the command, a running gateway, a real server.

const CLEAN = `
  create table products (id int primary key, sku text, title text, description text, price numeric(10, 2), weight_g int,
    tags text[], attributes jsonb, created_at timestamptz default now(), is_active bool, external_id bigint, checksum text, version text);
  insert into products select i, 'SKU-' || lpad(i::text, 6, '0'), 'Kettle No. ' || i, 'Boils ' || i || ' litres in 12:34:56 at 21 °C.', i * 1.25, i,
    array['kitchen', 'steel'], jsonb_build_object('colour', 'red', 'size', jsonb_build_object('w', i, 'h', 2 * i), 'ean', 4006381333931 + i),
    now(), true, 4000000000000000 + i * 7919, md5(i::text), '1.' || i || '.0'
  from generate_series(1, 3000) i;
  create table email_templates (id int primary key, name text, email_subject text, token_count int, address_id int, phone_verified_at timestamptz);
  insert into email_templates select i, 'welcome', 'Hello', i, i, now() from generate_series(1, 30) i;
`;

const PLANTED = `
  create schema crm;
  create table crm.people (id int primary key, mail_to text, "cellPhone" text, dob date, reference text, iban text, last_login_from inet, remarks text,
    profile jsonb, prefs jsonb, secrets text[], pan bigint, nothing text);
  insert into crm.people select i, 'planted' || i || '@mail.example', '+4420794609' || lpad((i % 100)::text, 2, '0'), date '1970-01-01' + i,
    'AB' || lpad(i::text, 6, '0') || 'C', 'DE89370400440532013000', '203.0.113.7',
    case when i % 20 = 0 then 'pays with 4111 1111 1111 1111 since ' || i else 'likes tea' end,
    jsonb_build_object('contact', jsonb_build_object('work', 'planted' || i || '@work.example', 'city', 'Rome'), 'theme', 'dark', 'password', 'hunter' || i),
    jsonb_build_object('user' || i, jsonb_build_object('notify', 'planted' || i || '@home.example')),
    array['ghp_' || repeat(chr(97 + i % 26), 36)], 4111111111111111, null
  from generate_series(1, 5000) i;
  create table crm.tiny (contact text);
  insert into crm.tiny values ('planted@tiny.example');
  create table crm.empty (id int, email text, ssn text, label text);
  create table crm.visits (id int, patient_number text, diagnosis text, day date) partition by range (day);
  create table crm.visits_2026 partition of crm.visits for values from ('2026-01-01') to ('2027-01-01');
  insert into crm.visits values (1, 'M-1', 'planted-diagnosis', '2026-02-02');
  create table crm."Odd.Table" ("e-mail *" text);
  insert into crm."Odd.Table" select 'planted' || i || '@odd.example' from generate_series(1, 20) i;
  create view crm.seen as select mail_to from crm.people;
  analyze;
`;

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.start();
  const { query } = gateway.world.postgres;
  await query(`set role ${SHOP_USER}; ${CLEAN}; ${PLANTED}`, 'lab');
  await query(
    `create schema closed; create table closed.vault (email text); insert into closed.vault values ('planted@closed.example')`,
    'lab',
  );
});
afterAll(() => gateway?.stop());

const run = (...args: string[]) => sallyport(['targets', 'discover', ...args], { cwd: gateway.directory });

interface Proposal {
  readonly column: string;
  readonly label: string;
  readonly mask: string;
  readonly path?: readonly string[];
  readonly confidence: string;
}

async function discovered(...args: string[]): Promise<{ proposals: Proposal[]; skipped: unknown[] }> {
  const { code, out, err } = await run(...args, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

const short = ({ column, label, mask, path, confidence }: Proposal): string =>
  [column, ...(path ? [`@${path.join('.')}`] : []), label, mask, confidence].join(' ');

describe('targets discover', () => {
  it('finds what is planted, and knows where in json it lies', async () => {
    const { proposals, skipped } = await discovered('lab', '--table', 'crm.*');
    expect(proposals.map(short)).toEqual([
      'crm.people.mail_to pii.email email sure',
      'crm.people.cellPhone pii.phone partial sure',
      'crm.people.dob pii.born date likely',
      'crm.people.reference pii.national_id redact sure',
      'crm.people.iban pii.bank_account partial sure',
      'crm.people.last_login_from pii.ip redact sure',
      'crm.people.remarks pci.pan redact likely',
      'crm.people.profile @contact.city pii.address redact maybe',
      'crm.people.profile @contact.work pii.email email sure',
      'crm.people.profile @password secret null likely',
      'crm.people.prefs pii.email redact sure',
      'crm.people.secrets secret null sure',
      'crm.people.pan pci.pan partial sure',
      'crm.tiny.contact pii.email email maybe',
      'crm.empty.email pii.email email likely',
      'crm.empty.ssn pii.ssn redact likely',
      'crm.visits.patient_number phi.mrn partial likely',
      'crm.visits.diagnosis phi.diagnosis redact likely',
      'crm.Odd%2ETable.e-mail %2A pii.email email sure',
    ]);
    expect(skipped).toEqual([]);
  });

  it('proposes nothing for tables that hold nothing', async () => {
    const { code, out, err } = await run('lab', '--table', 'public.*');
    expect({ code, out, err }).toEqual({
      code: 0,
      out: '',
      err: 'Nothing to label in 2 tables, 19 unlabelled columns.\n',
    });
  });

  it('leaves out what is labelled, unless asked for all', async () => {
    const { proposals } = await discovered('shop');
    expect(proposals.map(short)).toEqual([
      'public.customers.name pii.name redact maybe',
      'public.customers.note pii.email redact likely',
      'public.customers.note pci.pan redact likely',
    ]);
    const all = await run('shop', '--all', '--table', 'customers');
    expect(all.out).toMatch(
      /public\.customers\.email +pii\.email +email +sure +email in all of 60 values; its name +pii\.email/,
    );
  });

  it('writes lines that a configuration takes', async () => {
    const { out } = await run('lab', '--yaml', '--table', 'crm.*');
    const config = readFileSync(gateway.world.config, 'utf8').replace(
      /(name: lab[\s\S]*?database: lab\n)/,
      (target) => target + out,
    );
    const loaded = parseConfig(config, gateway.world.config);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const lab = loaded.config.targets.find(({ name }) => name === 'lab');
    expect(lab?.columns).toHaveLength(17); // two of 19 are a maybe
    expect(lab?.columns).toContainEqual({ column: 'crm.people.secrets', label: 'secret', mask: 'null' });
    expect(lab?.columns).toContainEqual({
      column: 'crm.people.profile',
      label: 'pii.email',
      mask: 'email',
      path: ['contact', 'work'],
    });
    expect(out).toContain('#- { column: crm.tiny.contact');
  });

  it('waits for nobody, and says what it could not read', async () => {
    const locker = await gateway.direct('lab');
    await locker.query('begin; lock table crm.tiny in access exclusive mode');
    try {
      const began = performance.now();
      const { err } = await run('lab');
      expect(performance.now() - began).toBeLessThan(20_000);
      expect(err).toContain('not looked into (somebody has it locked): crm.tiny');
      expect(err).toContain('not looked into (the gateway’s role may not read it): closed.vault');
    } finally {
      await locker.end();
    }
  });

  it('weighs names alone where no row may be looked at', async () => {
    const { proposals } = await discovered('lab', '--sample', '0', '--table', 'crm.people');
    expect(proposals.map(({ column }) => column)).toEqual(
      ['cellPhone', 'dob', 'iban', 'secrets', 'pan'].map((name) => `crm.people.${name}`),
    );
  });

  it('is for administrators, on what there is', async () => {
    const [alice, dave] = [await gateway.person('alice'), await gateway.person('dave')];
    const as = (pass: string, ...args: string[]) =>
      sallyport(['targets', 'discover', ...args], { cwd: gateway.directory, env: { SALLYPORT_PASS: pass } });
    expect((await as(alice.pass, 'lab')).err).toContain('gateway-admin');
    expect((await as(dave.pass, 'nowhere')).err).toContain('no such target');
    expect((await as(dave.pass, 'lab', '--database', 'postgres')).err).toContain('no such database');
    expect((await run('lab', '--sample', 'many')).code).toBe(2);
  });

  it('tells no value of a sample to anybody, and leaves a trace of itself', async () => {
    const said: string[] = [];
    for (const args of [[], ['--json'], ['--yaml'], ['--all']]) {
      const { out, err } = await run('lab', ...args);
      said.push(out, err);
    }
    const evidence = join(gateway.dataDirectory, 'evidence');
    const files = readdirSync(evidence, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    for (const text of [...said, ...files]) {
      expect(text).not.toMatch(/planted|4111|203\.0\.113|DE8937|ghp_|hunter|AB000|user\d|Rome|dark/);
    }
    const events = [];
    for await (const { event } of readAudit(evidence, { types: ['target.sampled'] })) events.push(event);
    expect(events.at(-1)).toMatchObject({ target: 'lab', database: 'lab', rows: 1000, by: 'local socket' });
    expect(events.length).toBeGreaterThan(8);
  });
});
