import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { GatewayClient } from '../client.ts';
import { forgetLogin, storedLogin, storeLogin } from '../credentials.ts';
import { parseDuration } from '../duration.ts';
import { Failure } from '../failure.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { type JsonObject, list, object, text, texts } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { clean, note, print, printJson, relative, style } from '../output.ts';
import { choose } from '../prompt.ts';
import { exchange } from '../token.ts';

interface LoginOptions extends GatewayOptions {
  readonly provider?: string;
  readonly device?: boolean;
  readonly idToken?: string;
  readonly expires?: number;
}

interface Provider {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
}

export function addLogin(program: Command): void {
  gatewayOptions(program.command('login'))
    .description('Log in as yourself, through your identity provider. The login is kept for later commands.')
    .option('--provider <name>', 'identity provider, where there are several')
    .option('--device', 'show a code to enter on another device, instead of opening a browser here')
    .option('--id-token <file>', 'take an ID token you already have ("-": from standard input)')
    .option('--expires <time>', 'how long the login lasts, as in 8h', parseDuration)
    .addHelpText(
      'after',
      '\nExamples:\n  $ sallyport login\n  $ sallyport login --url https://gw.example.com --device\n',
    )
    .action(login);

  gatewayOptions(program.command('logout'))
    .description('End the stored login, with every pass issued under it.')
    .action(logout);

  jsonOption(gatewayOptions(program.command('whoami')))
    .description('Say who you are to the gateway, and which rights over it you have.')
    .action(whoami);
}

async function login(options: LoginOptions): Promise<void> {
  const gateway = await findGateway(options);
  const about = object(await gateway.get('/v1/login'));
  const idToken = options.idToken === undefined ? await ask(about, options) : readToken(options.idToken);
  const issued = await exchange(gateway, {
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    ...(options.expires === undefined ? {} : { expires_in: String(options.expires) }),
  });
  const { url } = gateway.reach;
  const name = issued.principal ?? 'you';
  storeLogin({ url, ca: gateway.reach.ca, pass: issued.pass, name, expires: issued.expires });
  note(
    `${style.green('Logged in')} as ${clean(name)} at ${url} until ${issued.expires} (${relative(issued.expires)}).`,
  );
  if (issued.summary !== '') note(clean(issued.summary));
}

async function ask(about: JsonObject, options: LoginOptions): Promise<string> {
  const providers = list(about['providers'])
    .map(object)
    .map(
      (each): Provider => ({
        name: text(each['name']),
        issuer: text(each['issuer']),
        clientId: text(each['client_id']),
      }),
    );
  if (providers.length === 0) {
    throw new Failure('this gateway has no identity provider for people', {
      hint: 'Add one to identity.providers in sallyport.yaml.',
    });
  }
  const provider = await pick(providers, options.provider);
  const { browserLogin, deviceLogin } = await import('../../identity/login.ts');
  const { issuer, clientId } = provider;
  if (options.device || !process.stdout.isTTY) {
    const { idToken } = await deviceLogin({
      issuer,
      clientId,
      onPrompt: ({ completeUrl, url, userCode }) => {
        note(`Open ${style.cyan(clean(completeUrl ?? url))} and enter the code ${style.bold(clean(userCode))}`);
      },
    });
    return idToken;
  }
  const { openBrowser } = await import('../browser.ts');
  const { idToken } = await browserLogin({
    issuer,
    clientId,
    open: (url) => {
      note(`Opening your browser. If it does not open: ${style.cyan(clean(url))}`);
      openBrowser(url);
    },
  });
  return idToken;
}

async function pick(providers: readonly Provider[], wanted: string | undefined): Promise<Provider> {
  const [first] = providers;
  const names = providers.map((provider) => provider.name);
  const name = wanted ?? (providers.length === 1 ? first?.name : await choose('Log in with', names));
  const found = providers.find((provider) => provider.name === name);
  if (!found) throw new Failure(`there is no provider called ${name}; there are ${names.join(', ')}`, { exit: 2 });
  return found;
}

function readToken(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8').trim();
  } catch {
    throw new Failure(`${path === '-' ? 'standard input' : path} cannot be read`);
  }
}

async function logout(options: GatewayOptions): Promise<void> {
  const gateway: GatewayClient = await findGateway(options);
  const login = storedLogin(gateway.reach.url);
  if (!login) throw new Failure(`there is no stored login at ${gateway.reach.url}`);
  await gateway.form('/oauth/revoke', { token: login.pass });
  forgetLogin(login.url);
  note('Logged out.');
}

async function whoami(options: GatewayOptions & { json?: boolean }): Promise<void> {
  const gateway = await findGateway(options);
  const answer = object(await gateway.get('/v1/whoami'));
  if (options.json) return printJson(answer);
  print(clean(text(answer['name'])));
  const rights = texts(answer['gateway']);
  note(`over the gateway: ${rights.length > 0 ? rights.join(', ') : 'no rights'}`);
  if (text(answer['expires']) !== '') note(`until ${text(answer['expires'])} (${relative(text(answer['expires']))})`);
  const { kind, pass, url } = gateway.reach;
  const login = storedLogin(url);
  if (kind === 'local' && pass === undefined && login) {
    note(
      style.dim(
        `You are logged in as ${clean(login.name)} too: "connect" uses that, and any command with --url ${url}.`,
      ),
    );
  }
}
