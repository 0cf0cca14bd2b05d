import { beforeEach, describe, expect, it } from 'vitest';
import { currentOf, describeChain } from '../core/grant.ts';
import { exchange } from './exchange.ts';
import { parsePass } from './pass.ts';
import { GRANT_TYPE, ORIGIN, type World, world } from './testing/world.ts';

const TYPE = 'urn:ietf:params:oauth:token-type:';
const MINUTE = 60_000;
const scope = (detail: object): string => JSON.stringify([{ type: 'sallyport', target: 'shop', ...detail }]);

let w: World;
beforeEach(async () => {
  w = await world();
});

describe('a person’s ID token', () => {
  it('becomes a root grant in person, for an hour, and may be delegated', async () => {
    const { pass, chain, details, summary } = await w.pass(await w.login());
    const grant = currentOf(chain);
    expect(parsePass(pass)?.grant).toBe(grant.id);
    expect(grant).toMatchObject({
      parent: undefined,
      path: [grant.id],
      principal: { kind: 'user', id: 'https://id.corp.example|u1', groups: ['support'] },
      agent: undefined,
      caveats: {},
      expires: w.clock.now() + 60 * MINUTE,
      connectBy: w.clock.now() + 60 * MINUTE,
      delegable: true,
      maxDepth: 8,
      login: { provider: 'corp', session: 's1' },
    });
    expect(details).toBeUndefined();
    expect(summary).toBe(
      'may do whatever policy permits, at every target, until 13:00 UTC, may delegate 8 levels deep',
    );
    expect(w.audit.events).toEqual([
      expect.objectContaining({
        type: 'grant.issued',
        grant: grant.id,
        principal: grant.principal.id,
        address: '10.0.0.1',
      }),
    ]);
    expect(JSON.stringify(w.audit.events)).not.toContain(parsePass(pass)?.secret);
  });

  it('may outlive the token up to twelve hours, not longer', async () => {
    const { chain } = await w.pass(await w.login({ expires_in: '43200' }));
    expect(currentOf(chain).expires).toBe(w.clock.now() + 720 * MINUTE);
    expect(await w.ask(await w.login({ expires_in: '43300' }))).toMatchObject({
      error: 'invalid_request',
      details: ['expires_in: 43300 s is more than the 43200 s this login allows'],
    });
  });

  it('may be narrowed from the start', async () => {
    const form = { authorization_details: scope({ actions: ['select'] }), rows: '10', uses: '3', delegable: 'false' };
    const { chain, details, summary } = await w.pass(await w.login({ ...form, purpose: 'JIRA-1' }));
    expect(currentOf(chain)).toMatchObject({ uses: 3, delegable: false, maxDepth: 0, purpose: 'JIRA-1' });
    expect(details).toEqual([{ type: 'sallyport', target: 'shop', actions: ['select'] }]);
    expect(summary).toBe(
      'may run SELECT at shop, until 13:00 UTC, 3 statements, at most 10 rows each, may not delegate',
    );
  });

  it('is refused together with an actor', async () => {
    expect(await w.ask({ ...(await w.login()), actor: '{"name":"x"}' })).toMatchObject({ error: 'invalid_request' });
    expect(w.grants.grants.size).toBe(0);
  });

  it('is refused with one message whatever is wrong with it, and the reason is in the log', async () => {
    const bad = [w.alice({ aud: 'other' }), w.alice({ exp: 1 }), w.job(), 'x.y.z', 'slp_nonsense'];
    for (const token of bad) {
      const answer = await w.ask(await w.login({ subject_token: await token }));
      expect(answer).toEqual({ error: 'invalid_request', description: 'subject_token is not accepted', details: [] });
      expect(w.audit.last()).toMatchObject({ type: 'grant.refused', detail: expect.any(String) });
    }
    expect(new Set(w.audit.events.map((event) => event['detail'])).size).toBeGreaterThan(2);
  });

  it('of somebody whose access was ended gives nothing', async () => {
    await w.grants.revoke({ kind: 'login', id: 'corp|s1' }, 'admin', 'logged out');
    expect(await w.ask(await w.login())).toMatchObject({ error: 'invalid_request' });
    expect(w.audit.types()).toEqual(['grant.refused']);
  });
});

describe('a token of before', () => {
  const ALICE = 'https://id.corp.example|u1';

  it.each([
    ['their group was taken', () => w.grants.revoke({ kind: 'membership', id: ALICE, group: 'support' }, 'x', 'moved')],
    ['they cut off what they had', () => w.grants.cut({ kind: 'principal', id: ALICE }, ALICE, 'lost laptop')],
    ['their login was cut off', () => w.grants.cut({ kind: 'login', id: 'corp|s1' }, 'x', 'lost laptop')],
    [
      'they were kept out and are welcome again',
      async () => {
        await w.grants.revoke({ kind: 'principal', id: ALICE }, 'x', 'incident');
        await w.grants.lift({ kind: 'principal', id: ALICE }, 'x', 'over');
      },
    ],
  ])('is no way back in once %s; a new one is', async (_name, change) => {
    const before = await w.login();
    await change();
    expect(await w.ask(before)).toMatchObject({ error: 'invalid_request' });
    expect(w.audit.last()).toMatchObject({ type: 'grant.refused', detail: expect.stringContaining('after it was') });
    w.clock.advance(1_000);
    await w.pass(await w.login());
  });

  it('goes on where another group was taken, or another person’s', async () => {
    const before = await w.login();
    await w.grants.revoke({ kind: 'membership', id: ALICE, group: 'dba' }, 'x', '');
    await w.grants.revoke({ kind: 'membership', id: 'https://id.corp.example|u2', group: 'support' }, 'x', '');
    await w.pass(before);
  });

  it('of a workload does not bring its agent back', async () => {
    const root = await w.pass(await w.login());
    const before = await w.attested(root.pass);
    await w.grants.revoke({ kind: 'agent', id: 'https://ci.example|job-1' }, 'x', 'stolen');
    await w.grants.lift({ kind: 'agent', id: 'https://ci.example|job-1' }, 'x', 'clean');
    expect(await w.ask(before)).toMatchObject({ error: 'invalid_request' });
    w.clock.advance(1_000);
    await w.pass(await w.attested(root.pass));
  });
});

describe('a workload’s token', () => {
  const asSubject = async (more: Record<string, string> = {}): Promise<Record<string, string>> => ({
    subject_token: await w.job(),
    subject_token_type: `${TYPE}jwt`,
    ...more,
  });

  it('becomes a root grant of the workload itself, which ends with the token', async () => {
    const { chain } = await w.pass(await asSubject());
    expect(currentOf(chain)).toMatchObject({
      principal: { kind: 'workload', id: 'https://ci.example|job-1' },
      agent: undefined,
      expires: w.clock.now() + 10 * MINUTE,
    });
    expect(w.audit.last()).toMatchObject({ token_id: 'j1' });
    expect(await w.ask(await asSubject({ expires_in: '3600' }))).toMatchObject({ error: 'invalid_request' });
  });

  it('is not taken for a person’s, nor the other way round', async () => {
    expect(await w.ask(await asSubject({ subject_token_type: `${TYPE}id_token` }))).toHaveProperty('error');
    expect(await w.ask(await asSubject({ subject_token: await w.alice() }))).toHaveProperty('error');
  });
});

describe('a pass and an actor', () => {
  it('give a chain from the person through the job to the helper', async () => {
    const root = await w.pass(await w.login());
    const job = await w.pass(await w.attested(root.pass, { authorization_details: scope({ actions: ['read'] }) }));
    const helper = await w.pass(
      w.asserted(job.pass, { uses: '1', authorization_details: scope({ actions: ['select'] }) }),
    );
    expect(describeChain(helper.chain)).toBe('alice@corp.example > job-1 (attested) > helper (asserted)');
    const ids = helper.chain.grants.map(({ id }) => id);
    expect(currentOf(helper.chain).path).toEqual(ids);
    expect(new Set(helper.chain.grants.map(({ transaction }) => transaction)).size).toBe(1);
    expect(currentOf(helper.chain)).toMatchObject({
      parent: ids[1],
      agent: { id: `${ids[1]}/helper`, kind: 'tool', class: 'asserted', assurance: 'asserted', rights: 'delegated' },
      connectBy: w.clock.now() + 2 * MINUTE,
      expires: w.clock.now() + 60 * MINUTE,
      delegable: false,
      maxDepth: 0,
      login: { provider: 'corp', session: 's1' },
    });
    expect(currentOf(job.chain)).toMatchObject({ agent: { kind: 'ci', class: 'ci' }, delegable: true, maxDepth: 7 });
    expect(w.audit.types()).toEqual(['grant.issued', 'grant.issued', 'grant.issued']);
  });

  it('without an actor give the same holder less', async () => {
    const root = await w.pass(await w.login());
    const { actor: _, ...alone } = w.asserted(root.pass, { rows: '5' });
    const less = await w.pass(alone);
    expect(currentOf(less.chain)).toMatchObject({ agent: undefined, caveats: { rows: 5 } });
    const job = await w.pass(await w.attested(root.pass));
    const lessJob = await w.pass({ subject_token: job.pass, subject_token_type: `${TYPE}access_token` });
    expect(currentOf(lessJob.chain).agent).toEqual(currentOf(job.chain).agent);
  });

  it('never outlive anything above them', async () => {
    const root = await w.pass(await w.login({ expires_in: '600', connect_within: '300' }));
    const child = currentOf((await w.pass(await w.attested(root.pass))).chain);
    expect(child).toMatchObject({ expires: w.clock.now() + 10 * MINUTE, connectBy: w.clock.now() + 5 * MINUTE });
    const late = await w.ask(await w.attested(root.pass, { expires_in: '700' }));
    expect(late).toMatchObject({
      error: 'invalid_authorization_details',
      details: [expect.stringContaining('expires_in')],
    });
    const closing = await w.ask(await w.attested(root.pass, { connect_within: '600' }));
    expect(closing).toMatchObject({ details: [expect.stringContaining('connect_within')] });
  });

  it('may ask for what the parent had a moment ago', async () => {
    const root = await w.pass(await w.login());
    w.clock.advance(30_000);
    const child = await w.pass(w.asserted(root.pass, { expires_in: '3600' }));
    expect(currentOf(child.chain).expires).toBe(currentOf(root.chain).expires);
  });

  it('may be told to delegate further, within the depth that is left', async () => {
    const root = await w.pass(await w.login({ max_depth: '2' }));
    const helper = await w.pass(w.asserted(root.pass, { delegable: 'true' }));
    expect(currentOf(helper.chain)).toMatchObject({ delegable: true, maxDepth: 1 });
    const inner = await w.pass(w.asserted(helper.pass, { actor: '{"name":"inner","kind":"ai"}' }));
    expect(currentOf(inner.chain)).toMatchObject({ delegable: false, agent: { kind: 'ai' } });
    expect(await w.ask(w.asserted(helper.pass, { delegable: 'true' }))).toMatchObject({
      details: [expect.stringContaining('max_depth')],
    });
    expect(await w.ask(w.asserted(inner.pass))).toMatchObject({ description: 'this pass may not delegate' });
  });

  it('cannot go deeper than eight', async () => {
    let { pass } = await w.pass(await w.login());
    for (let depth = 1; depth <= 7; depth++) ({ pass } = await w.pass(w.asserted(pass, { delegable: 'true' })));
    const last = await w.pass(w.asserted(pass));
    expect(last.chain.grants).toHaveLength(9);
    expect(await w.ask(w.asserted(last.pass))).toMatchObject({ error: 'invalid_request' });
    expect(await w.ask(w.asserted(pass, { delegable: 'true' }))).toMatchObject({
      error: 'invalid_authorization_details',
    });
  });

  it('are told everything in which they ask for more than the parent has', async () => {
    const limits = { authorization_details: scope({ actions: ['select'] }), rows: '10', uses: '5', max_depth: '1' };
    const root = await w.pass(await w.login({ ...limits, sources: '10.0.0.0/8' }));
    const answer = await w.ask(
      w.asserted(root.pass, {
        authorization_details: scope({ actions: ['select', 'delete'] }),
        rows: '11',
        uses: '6',
        max_depth: '1',
        sources: '0.0.0.0/0',
      }),
    );
    expect(answer).toMatchObject({ error: 'invalid_authorization_details' });
    expect('details' in answer ? answer.details : []).toEqual([
      "authorization_details[0].actions: delete is not in the parent's pass",
      expect.stringContaining('sources: 0.0.0.0/0'),
      expect.stringContaining('rows: 11'),
      expect.stringContaining('max_depth: 1'),
      expect.stringContaining('uses: 6 is more than the 5'),
    ]);
    expect(w.audit.last()).toMatchObject({ type: 'grant.refused', grant: currentOf(root.chain).id });
  });

  it('may only hand on uses that are left anywhere above', async () => {
    const root = await w.pass(await w.login({ uses: '5' }));
    const child = await w.pass(await w.attested(root.pass));
    await w.grants.debit(currentOf(child.chain).path, 3);
    expect(await w.ask(w.asserted(child.pass, { uses: '3' }))).toHaveProperty('error');
    await expect(w.pass(w.asserted(child.pass, { uses: '2' }))).resolves.toBeDefined();
  });

  it.each([
    ['is revoked', async (root: string) => w.grants.revoke({ kind: 'grant', id: root }, 'x', 'x')],
    [
      'has an ancestor whose principal is revoked',
      async () => w.grants.revoke({ kind: 'principal', id: 'https://id.corp.example|u1' }, 'x', 'x'),
    ],
    ['has expired', async () => w.clock.advance(61 * MINUTE)],
    ['may open no sessions any more', async () => w.clock.advance(31 * MINUTE)],
  ])('give nothing when the pass %s', async (_name, spoil) => {
    const root = await w.pass(await w.login({ connect_within: '1800' }));
    const job = await w.pass(await w.attested(root.pass));
    await spoil(currentOf(root.chain).id);
    expect(await w.ask(w.asserted(job.pass))).toEqual({
      error: 'invalid_request',
      description: 'subject_token is unknown, wrong, expired or revoked',
      details: [],
    });
  });

  it('give nothing from an address that the pass, or one above it, is not for', async () => {
    const root = await w.pass(await w.login({ sources: '192.168.0.0/16' }));
    const answer = await w.ask(w.asserted(root.pass));
    expect(answer).toMatchObject({ description: 'subject_token is unknown, wrong, expired or revoked' });
    expect(w.audit.last()).toMatchObject({ detail: 'from an address it is not for' });
    const form = new URLSearchParams({ grant_type: GRANT_TYPE, ...w.asserted(root.pass) });
    for (const [address, field] of [
      ['192.168.7.7', 'pass'],
      ['::ffff:192.168.7.7', 'pass'],
      ['', 'error'],
    ] as const) {
      expect(await exchange(form, { address, confidential: true }, w.ports)).toHaveProperty(field);
    }
  });

  it('give nothing when the agent is revoked', async () => {
    const root = await w.pass(await w.login());
    await w.grants.revoke({ kind: 'agent', id: 'https://ci.example|job-1' }, 'x', 'x');
    expect(await w.ask(await w.attested(root.pass))).toMatchObject({ error: 'invalid_request' });
  });

  it('give nothing for an actor token that does not verify, and the log says why', async () => {
    const root = await w.pass(await w.login());
    for (const token of [w.job({ repo: '8' }), w.alice(), 'slp_x']) {
      const answer = await w.ask(await w.attested(root.pass, { actor_token: await token }));
      expect(answer).toMatchObject({ error: 'invalid_request', description: 'actor_token is not accepted' });
    }
    expect(w.audit.events.slice(1).map((event) => event['detail'])).toEqual([
      expect.stringContaining('repo'),
      expect.stringContaining('no provider'),
      expect.stringContaining('not a plain JWT'),
    ]);
  });

  it('keep the kinds of attested agents to themselves', async () => {
    const root = await w.pass(await w.login());
    expect(await w.ask(w.asserted(root.pass, { actor: '{"name":"x","kind":"ci"}' }))).toMatchObject({
      description: expect.stringContaining('kind ci'),
    });
  });
});

describe('a form is refused', () => {
  it.each<[string, Record<string, string>, string, string]>([
    ['for another grant type', { grant_type: 'password' }, 'unsupported_grant_type', 'grant_type'],
    ['without a subject', { subject_token: '' }, 'invalid_request', 'subject_token: empty'],
    ['for an unknown subject type', { subject_token_type: `${TYPE}saml2` }, 'invalid_request', 'subject_token_type'],
    ['for an inherited name as the type', { subject_token_type: 'toString' }, 'invalid_request', 'subject_token_type'],
    [
      'for another kind of token',
      { requested_token_type: `${TYPE}refresh_token` },
      'invalid_request',
      'requested_token_type',
    ],
    ['for a scope, which would not narrow anything', { scope: 'read' }, 'invalid_request', 'scope: not taken'],
    ['for an audience', { audience: 'x' }, 'invalid_request', 'audience: not taken'],
    ['for a misspelt limit', { expire_in: '60' }, 'invalid_request', '"expire_in": not a known'],
    [
      'for a limit whose variable was unset',
      { authorization_details: '' },
      'invalid_request',
      'authorization_details: empty',
    ],
    ['for a client secret', { client_secret: 'x' }, 'invalid_request', 'not a known'],
    ['for two actors', { actor: '{"name":"a"}', actor_token: 'x' }, 'invalid_request', 'not both'],
    ['for an actor token without its type', { actor_token: 'x' }, 'invalid_request', 'actor_token_type'],
    ['for an actor type without token', { actor_token_type: `${TYPE}jwt` }, 'invalid_request', 'without actor_token'],
    [
      'for an actor token of another type',
      { actor_token: 'x', actor_token_type: `${TYPE}id_token` },
      'invalid_request',
      'actor_token_type',
    ],
    ['for an actor that is no JSON', { actor: 'helper' }, 'invalid_request', 'actor: not JSON'],
    [
      'for an actor with more than a name',
      { actor: '{"name":"a","groups":["dba"]}' },
      'invalid_request',
      'only name and kind',
    ],
    ['for an actor named like a path', { actor: '{"name":"a/b"}' }, 'invalid_request', 'actor: name'],
    ['for an actor named like a principal', { actor: '{"name":"https://x|y"}' }, 'invalid_request', 'actor: name'],
    ['for an actor without name', { actor: '{}' }, 'invalid_request', 'actor: name'],
    ['for an actor of a strange kind', { actor: '{"name":"a","kind":"CI"}' }, 'invalid_request', 'actor: kind'],
    ['for a time that is no number', { expires_in: '1h' }, 'invalid_request', 'expires_in'],
    ['for no time at all', { expires_in: '0' }, 'invalid_request', 'expires_in'],
    ['for no uses', { uses: '0' }, 'invalid_request', 'uses'],
    ['for more depth than there is', { max_depth: '9' }, 'invalid_request', 'max_depth'],
    ['for depth that may not be used', { max_depth: '1', delegable: 'false' }, 'invalid_request', 'max_depth'],
    ['for delegation without depth', { max_depth: '0', delegable: 'true' }, 'invalid_request', 'max_depth'],
    ['for a flag that is no flag', { delegable: '1' }, 'invalid_request', 'delegable'],
    ['for a purpose of two lines', { purpose: 'a\nb' }, 'invalid_request', 'purpose'],
    ['for a purpose that runs backwards', { purpose: '\u202ea' }, 'invalid_request', 'purpose'],
    ['for bad networks', { sources: '10.0.0.1/8' }, 'invalid_request', 'sources'],
    ['for bad scopes', { authorization_details: '[{}]' }, 'invalid_authorization_details', '[0].type'],
  ])('%s', async (_name, change, error, text) => {
    const answer = await w.ask(await w.login(change));
    expect(answer).toMatchObject({ error, description: expect.stringContaining(text) });
    expect(w.grants.grants.size).toBe(0);
    expect(w.audit.types()).toEqual(['grant.refused']);
  });

  it('with anything in it twice', async () => {
    const form = new URLSearchParams({ grant_type: GRANT_TYPE, ...(await w.login()) });
    form.append('expires_in', '60');
    form.append('expires_in', '600');
    expect(await exchange(form, ORIGIN, w.ports)).toMatchObject({ description: 'expires_in: given twice' });
  });
});

describe('the log and the throttle', () => {
  it('keep a pass back that could not be recorded', async () => {
    const form = await w.login();
    w.audit.broken = true;
    await expect(w.ask(form)).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
  });

  it('slow down whoever keeps being refused, without flooding the log', async () => {
    for (let i = 0; i < 20; i++) await w.ask(await w.login({ subject_token: 'x' }));
    const { length } = w.audit.events;
    expect(await w.ask(await w.login())).toMatchObject({ error: 'slow_down' });
    expect(w.audit.events).toHaveLength(length);
    w.clock.advance(MINUTE);
    await expect(w.pass(await w.login())).resolves.toBeDefined();
  });
});
