import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { type Send, SendFailure } from './destination.ts';
import { mailOf } from './email.ts';
import type { Links } from './links.ts';

// The one wrapper of nodemailer.

export interface MailBox {
  readonly host: string;
  readonly port: number;
  /** `start`: STARTTLS or nothing. `none`: for loopback. */
  readonly tls: 'at-once' | 'start' | 'none';
  readonly login: (() => Promise<{ readonly user: string; readonly pass: string }>) | undefined;
  readonly from: string;
  readonly to: readonly string[];
  readonly links: () => Links;
}

/** Mails notices, over a connection of its own for each. */
export function mailer(box: MailBox): Send {
  return async ({ id, notice }, signal) => {
    const { host, port, tls, from, to } = box;
    const { subject, text } = mailOf(notice, box.links());
    const auth = await box.login?.();
    const socket = await dial(host, port, signal);
    const transport = createTransport({
      host,
      port,
      secure: tls === 'at-once',
      requireTLS: tls === 'start',
      ignoreTLS: tls === 'none',
      tls: { minVersion: 'TLSv1.2', ...(isIP(host) === 0 ? { servername: host } : {}) },
      connection: socket,
      disableFileAccess: true,
      disableUrlAccess: true,
      ...(auth === undefined ? {} : { auth }),
    });
    try {
      await transport.sendMail({
        from,
        to: [...to],
        subject,
        text,
        messageId: `<${id}@${new URL(box.links().origin).hostname}>`,
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Sallyport-Request': notice.request.id },
      });
      return undefined;
    } catch (thrown) {
      throw new SendFailure(signal.aborted ? 'no answer in time' : whyNot(thrown));
    } finally {
      socket.destroy();
    }
  };
}

/** Ours, so that it ends with the signal whatever the server does. */
async function dial(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, signal });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (thrown) {
    throw new SendFailure(signal.aborted ? 'no answer in time' : whyNot(thrown));
  }
}

/** A server may quote anything in its answers: only their numbers are told. */
function whyNot(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'not sent';
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : 'not sent';
  return 'responseCode' in thrown && typeof thrown.responseCode === 'number'
    ? `${code}: SMTP ${thrown.responseCode}`
    : code;
}
