import { describe, expect, it } from 'vitest';
import { parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';

const load = (notify: string) => {
  const text = `version: 1\nurl: https://gw.example.com\napprovals:\n  rules: [{ name: dba, ask: [dba] }]\n  notify:\n    - ${notify}\n`;
  const loaded = parseConfig(text, '/etc/sallyport/sallyport.yaml');
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config.approvals.notify[0];
};

describe('approvals.notify', () => {
  it('is nobody where nothing is written', () => {
    const loaded = parseConfig('version: 1\nurl: https://gw.example.com\n', '/etc/sallyport.yaml');
    expect(loaded).toMatchObject({ ok: true, config: { approvals: { notify: [] } } });
  });

  it('is a webhook, told of everything', () => {
    expect(load('{ kind: webhook, name: chat, url: "https://example.com/x?y=1", secret: "file:chat.key" }')).toEqual({
      kind: 'webhook',
      name: 'chat',
      url: 'https://example.com/x?y=1',
      secret: { scheme: 'file', name: '/etc/sallyport/chat.key' },
      events: ['made', 'escalated', 'answered', 'approved', 'denied', 'withdrawn', 'expired', 'glass-broken'],
      rules: undefined,
    });
  });

  it('is a channel of Slack, with its people', () => {
    const people = '{ U012ABC3D: "https://id.example|alice" }';
    const slack = load(
      `{ kind: slack, name: s, token: env:T, signing_secret: env:S, channel: C1, people: ${people}, rules: [dba] }`,
    );
    expect(slack).toMatchObject({
      url: 'https://slack.com/api',
      people: new Map([['U012ABC3D', 'https://id.example|alice']]),
      rules: ['dba'],
    });
  });

  it.each([
    ['smtps://mail.example', { host: 'mail.example', port: 465, tls: 'at-once', user: undefined }],
    ['smtp://mail.example', { host: 'mail.example', port: 587, tls: 'start' }],
    ['smtp://mail.example:25', { port: 25, tls: 'start' }],
    ['smtp://127.0.0.1:2525', { host: '127.0.0.1', port: 2525, tls: 'none' }],
    ['smtp://[::1]:2525', { host: '::1', tls: 'none' }],
  ])('is mail through %s', (smtp, expected) => {
    const mail = load(`{ kind: email, name: m, smtp: "${smtp}", from: a@example.com, to: [b@example.com] }`);
    expect(mail).toMatchObject({ smtp: expected, events: ['made', 'escalated', 'expired', 'glass-broken'] });
  });

  it('is mail sent as somebody', () => {
    const mail = load(
      '{ kind: email, name: m, smtp: "smtps://ops%40example.com@mail.example", password: env:P, from: "Ops <a@example.com>", to: [b@example.com] }',
    );
    expect(mail).toMatchObject({ smtp: { user: 'ops@example.com', password: { scheme: 'env', name: 'P' } } });
  });
});
