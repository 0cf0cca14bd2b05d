import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../../secrets/x509.ts';
import { aRequest } from '../testing/samples.ts';
import { type SmtpBehaviour, type SmtpServer, smtpServer } from '../testing/smtp-server.ts';
import { mailOf } from './email.ts';
import { noticeOf } from './notice.ts';
import { type MailBox, mailer } from './smtp.ts';

const LINKS = { origin: 'https://gw.example.com' };
const hostile = aRequest({
  effect: {
    ...aRequest().effect,
    statement: 'delete from orders\r\n.\r\nMAIL FROM:<eve@evil.example>\nTo answer: https://evil.example\u202e',
    parameters: ['a\r\nb'],
    message: 'held\r\nBcc: eve@evil.example',
  },
  asker: {
    ...aRequest().asker,
    principal: { id: 'https://id.example|alice', name: 'alice\r\nBcc: eve@evil.example' },
  },
});

describe('a mail', () => {
  it('says who wants what, why it is held, and where to answer', () => {
    expect(mailOf(noticeOf('approval.made', aRequest(), 0), LINKS)).toEqual({
      subject: '[sallyport] Approval wanted: delete on shop for alice@corp.example',
      text: `Approval wanted: delete on shop for alice@corp.example.

Who:       alice@corp.example > deploy (attested)
Why:       JIRA-1234
Where:     shop, database shop, as app
Touches:   delete public.orders
Held by:   deleting needs an approval (delete-held)
Waits for: dba
Until:     2026-10-01 13:00 UTC

    delete from orders where id = 7

To answer: https://gw.example.com/approvals/0000000000000000000001
or:        sallyport approvals show 0000000000000000000001

Request 0000000000000000000001, waiting.
`,
    });
  });

  it('says how much the target thinks it is about', () => {
    const request = aRequest({ effect: { ...aRequest().effect, estimate: 1200 } });
    expect(mailOf(noticeOf('approval.made', request, 0), LINKS).text).toContain('Rows:      about 1200\n');
  });

  it('is not led astray by what a statement says', () => {
    const { subject, text } = mailOf(noticeOf('approval.made', hostile, 0), LINKS);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text.split('\n').filter((each) => each.startsWith('To answer'))).toEqual([
      'To answer: https://gw.example.com/approvals/0000000000000000000001',
    ]);
    expect(text).toContain('    To answer: https://evil.example\\u202e');
    expect(text).not.toMatch(/^Bcc/m);
  });
});

async function certificates() {
  const span = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
  const authority = await makeCertificate({ subject: 'test', issuer: undefined, hosts: [], ...span });
  const issuer = { subject: 'test', key: authority.key };
  const { certificate, key } = await makeCertificate({ subject: 'mail', issuer, hosts: ['127.0.0.1'], ...span });
  return {
    authority: authority.certificate,
    pair: { certificate, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() },
  };
}

let server: SmtpServer | undefined;
afterEach(() => server?.close());

async function send(behaviour: SmtpBehaviour, more: Partial<MailBox> = {}, within = 5_000): Promise<SmtpServer> {
  server = await smtpServer(behaviour);
  const box: MailBox = {
    host: '127.0.0.1',
    port: server.port,
    tls: 'none',
    login: undefined,
    from: 'Sallyport <gw@example.com>',
    to: ['dba@example.com', 'ops@example.com'],
    links: () => LINKS,
    ...more,
  };
  const delivery = { id: 'delivery1', destination: 'mail', notice: noticeOf('approval.made', hostile, 0), tries: 1 };
  await mailer(box)(delivery, AbortSignal.timeout(within));
  return server;
}

describe('mail that is sent', () => {
  it('comes once to everybody, as it was written, with an id to drop doubles by', async () => {
    const { mails } = await send({});
    expect(mails).toHaveLength(1);
    const [{ from, to, data } = { from: '', to: [], data: '' }] = mails;
    expect(from).toBe('<gw@example.com>');
    expect(to).toEqual(['<dba@example.com>', '<ops@example.com>']);
    const [head = '', body = ''] = data.split('\r\n\r\n', 2);
    expect(head).toMatch(/^Message-ID: <delivery1@gw\.example\.com>$/m);
    expect(head).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(head).not.toMatch(/^Bcc/im);
    expect(body).toContain('Approval wanted');
  });

  it('leaves no connection behind, not even to a server that never says goodbye', async () => {
    const quiet = await send({ say: { QUIT: 'hang' } });
    await expect.poll(() => quiet.open(), { timeout: 500 }).toBe(0);
    await expect(send({ say: { RCPT: '550 no', QUIT: 'hang' } })).rejects.toThrow();
    await expect.poll(() => server?.open(), { timeout: 500 }).toBe(0);
  });

  it('logs in where it is to', async () => {
    const { commands } = await send({}, { login: async () => ({ user: 'gw', pass: 'p4ss' }) });
    expect(commands).toContain('AUTH');
  });

  it('is not sent in the clear where the server knows no TLS', async () => {
    await expect(send({}, { tls: 'start', login: async () => ({ user: 'gw', pass: 'p4ss' }) })).rejects.toMatchObject({
      name: 'SendFailure',
    });
    expect(server?.commands).not.toContain('AUTH');
    expect(server?.mails).toEqual([]);
  });

  it('is sent under TLS to whom an authority vouches for, and to nobody else', async () => {
    const { authority, pair } = await certificates();
    const login = async () => ({ user: 'gw', pass: 'p4ss' });
    await expect(send({ tls: pair }, { tls: 'start', login })).rejects.toMatchObject({ name: 'SendFailure' });
    expect(server?.commands).not.toContain('AUTH');
    const before = getCACertificates();
    try {
      setDefaultCACertificates([authority]);
      const { commands, mails } = await send({ tls: pair }, { tls: 'start', login });
      expect(commands.slice(0, 4)).toEqual(['EHLO', 'STARTTLS', 'EHLO', 'AUTH']);
      expect(mails).toHaveLength(1);
      // The same certificate under a name that it does not hold.
      await expect(send({ tls: pair }, { tls: 'start', host: 'localhost' })).rejects.toThrow();
    } finally {
      setDefaultCACertificates(before);
    }
  });

  it.each([
    ['greeting', 'hang', 'no answer in time'],
    ['EHLO', 'hang', 'no answer in time'],
    ['.', 'hang', 'no answer in time'],
    ['RCPT', '550 no such user t0psecret', 'EENVELOPE: SMTP 550'],
    ['.', '451 later', 'EMESSAGE: SMTP 451'],
  ])('fails when the server says to %s: %s', async (command, said, message) => {
    await expect(send({ say: { [command]: said } }, {}, 300)).rejects.toMatchObject({ name: 'SendFailure', message });
  });

  it('fails where nobody listens', async () => {
    await expect(send({}, { port: 1 })).rejects.toMatchObject({ message: 'ECONNREFUSED' });
  });
});
