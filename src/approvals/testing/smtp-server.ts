import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export interface SmtpServer {
  readonly port: number;
  /** Whole messages, as they came. */
  readonly mails: readonly { readonly from: string; readonly to: readonly string[]; readonly data: string }[];
  /** Commands in the order they came, without what they said after the first word. */
  readonly commands: readonly string[];
  /** How many connections are open. */
  open(): number;
  close(): void;
}

export interface SmtpBehaviour {
  /** Offers STARTTLS with this certificate. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** What is said to a command instead of what should be; `hang`: nothing. */
  readonly say?: Readonly<Record<string, string>>;
}

/** As much of RFC 5321 as a client needs to hand in a message. */
export async function smtpServer({ tls, say = {} }: SmtpBehaviour = {}): Promise<SmtpServer> {
  const mails: { from: string; to: string[]; data: string }[] = [];
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket, isFresh: boolean): void => {
    let buffered = '';
    let isData = false;
    let mail = { from: '', to: [] as string[], data: '' };
    const answer = (command: string, usual: string): void => {
      const said = say[command] ?? usual;
      if (said !== 'hang') socket.write(`${said}\r\n`);
    };
    const command = (text: string): void => {
      const word = text.split(' ')[0]?.toUpperCase() ?? '';
      commands.push(word);
      if (word === 'EHLO') answer(word, tls && isFresh ? '250-test\r\n250 STARTTLS' : '250-test\r\n250 AUTH PLAIN');
      else if (word === 'STARTTLS' && tls) {
        socket.write('220 go\r\n');
        socket.removeAllListeners('data');
        const secureContext = createSecureContext({ cert: tls.certificate, key: tls.key });
        const secure = new TLSSocket(socket, { isServer: true, secureContext });
        secure.on('error', () => undefined);
        serve(secure, false);
      } else if (word === 'AUTH') answer(word, '235 welcome');
      else if (word === 'MAIL') {
        mail = { from: text.slice(10), to: [], data: '' };
        answer(word, '250 fine');
      } else if (word === 'RCPT') {
        mail.to.push(text.slice(8));
        answer(word, '250 fine');
      } else if (word === 'DATA') {
        isData = true;
        answer(word, '354 go on');
      } else answer(word, word === 'QUIT' ? '221 bye' : word === 'STARTTLS' ? '502 unknown' : '250 fine');
    };
    socket.on('data', (chunk: Buffer) => {
      buffered += chunk.toString('utf8');
      for (;;) {
        const end = buffered.indexOf(isData ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const text = buffered.slice(0, end);
        buffered = buffered.slice(end + (isData ? 5 : 2));
        if (!isData) command(text);
        else {
          isData = false;
          mails.push({ ...mail, data: text });
          answer('.', '250 kept');
        }
      }
    });
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    const greeting = say['greeting'] ?? '220 test';
    if (greeting !== 'hang') socket.write(`${greeting}\r\n`);
    serve(socket, true);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails,
    commands,
    open: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
