import type { Command } from 'commander';
import type { GatewayClient } from '../client.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { idOf } from '../id.ts';
import { list, number, object } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { clean, note, printJson, style } from '../output.ts';
import { agree } from '../prompt.ts';
import { agentOf, type Named, principalOf } from '../who.ts';

interface RevokeOptions extends GatewayOptions {
  readonly reason?: string;
  readonly nowOnly?: boolean;
  readonly unseen?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What is to be revoked, as the API has it, and as people say it. */
interface Subject extends Named {
  readonly kind: string;
  readonly group?: string;
  /** How `revocations lift` is told of it; undefined where there is nothing to lift. */
  readonly lift?: string;
}

type Find = (words: readonly string[], gateway: GatewayClient) => Subject | Promise<Subject>;

export function addRevoke(program: Command): void {
  const revoke = program
    .command('revoke')
    .description('End somebody’s or something’s access, live sessions and running statements included.')
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport revoke user carol@example.com --reason "left the company"
  $ sallyport revoke user me --reason "lost my laptop"       everything of yours; log in again
  $ sallyport revoke membership carol@example.com dba        what she logged in to as one of dba
  $ sallyport revoke agent deploy --reason "stolen key"
  $ sallyport revoke target shop --reason "incident 42"
  $ sallyport revocations                                    who and what is kept out
  $ sallyport revocations lift target shop --reason "over"   new logins may use it again

Whatever has it anywhere in its chain ends with it, on every node. Users, agents, logins and targets stay
out until that is lifted; passes of before stay dead even then.
`,
    );

  const user = kindOf(revoke, 'user', ['<who>'], async ([who = ''], gateway) => {
    const { id, name } = await principalOf(who, gateway);
    return { kind: 'principal', id, name, lift: `user ${quoted(id)}` };
  });
  liftable(user)
    .alias('principal')
    .description('A person or a workload, with all who act for them: by id, by a name that is theirs alone, or "me".');
  asked(user);

  liftable(
    kindOf(revoke, 'agent', ['<agent>'], async ([agent = ''], gateway) => {
      const { id, name } = await agentOf(agent, gateway);
      return { kind: 'agent', id, name, lift: `agent ${quoted(id)}` };
    }),
  ).description('An agent, whoever it acts for: by id, or by a name that is its alone.');

  liftable(
    kindOf(revoke, 'login', ['<login>'], ([id = '']) => ({ kind: 'login', id, name: id, lift: `login ${quoted(id)}` })),
  ).description('A session at the identity provider: <provider>|<session>, as grant.issued in the audit log has it.');

  const target = kindOf(revoke, 'target', ['<target>'], ([id = '']) => {
    return { kind: 'target', id, name: id, lift: `target ${quoted(id)}` };
  });
  liftable(target).description('A target, for everybody.');
  asked(target);

  kindOf(revoke, 'membership', ['<who>', '<group>'], async ([who = '', group = ''], gateway) => {
    const { id, name } = await principalOf(who, gateway);
    return { kind: 'membership', id, name: `${name} as one of ${group}`, group };
  })
    .option('--unseen', 'also where no such membership was ever seen')
    .description('What somebody logged in to as a member of a group. They may log in again, as what they are then.');

  kindOf(revoke, 'grant', ['<grant>'], ([grant = '']) => {
    const id = idOf(grant, 'grant');
    return { kind: 'grant', id, name: `grant ${id}` };
  }).description('A pass by its grant id, with all below it. For good.');

  kindOf(revoke, 'session', ['<session>'], ([session = '']) => {
    const id = idOf(session, 'session');
    return { kind: 'session', id, name: `session ${id}` };
  }).description('One session, as "sallyport sessions kill" does. For good.');
}

function kindOf(revoke: Command, kind: string, words: readonly string[], find: Find): Command {
  const command = jsonOption(gatewayOptions(revoke.command(kind))).option(
    '--reason <text>',
    'for the audit log; those it ends are told too',
  );
  for (const word of words) command.argument(word);
  return command.action(async (...given: unknown[]) => {
    const options = given[words.length] as RevokeOptions;
    const gateway = await findGateway(options);
    await run(await find(given.slice(0, words.length).map(String), gateway), gateway, options);
  });
}

function liftable(command: Command): Command {
  return command
    .option('--now-only', 'end what there is now; whoever logs in anew is welcome')
    .option('--unseen', 'also where nothing of that name was ever seen');
}

function asked(command: Command): void {
  command.option('-y, --yes', 'do not ask first');
}

async function run(subject: Subject, gateway: GatewayClient, options: RevokeOptions): Promise<void> {
  const who = subject.name === subject.id ? subject.id : `${subject.name} (${subject.id})`;
  if (subject.kind === 'principal' || subject.kind === 'target') {
    const sure = options.yes === true || options.json === true || (await confirmed(subject, clean(who), gateway));
    if (!sure) return note('Nothing was revoked.');
  }
  const { kind, id, group } = subject;
  const answer = object(
    await gateway.post('/v1/revocations', {
      kind,
      id,
      ...(group === undefined ? {} : { group }),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      ...(options.nowOnly ? { lasting: false } : {}),
      ...(options.unseen ? { unseen: true } : {}),
    }),
  );
  if (options.json) return printJson(answer);
  const said = kind === 'grant' || kind === 'session' ? subject.name : who;
  note(`Revoked: ${clean(said)}. ${sessionsOf(number(answer['sessions']) ?? 0)}`);
  if (subject.lift === undefined) return;
  note(
    answer['lasting'] === true
      ? `${style.dim('let in again')} sallyport revocations lift ${clean(subject.lift)}`
      : 'Whoever logs in anew is welcome.',
  );
}

async function confirmed(subject: Subject, who: string, gateway: GatewayClient): Promise<boolean> {
  const by = subject.kind === 'target' ? 'target' : 'chain';
  const live = object(await gateway.get(`/v1/sessions?limit=1000&${by}=${encodeURIComponent(subject.id)}`));
  return await agree(`Revoke ${who}? ${sessionsOf(list(live['sessions']).length)}`);
}

/** As a shell takes it. */
function quoted(id: string): string {
  return /^[\w@.:/-]+$/.test(id) ? id : `'${id.replaceAll("'", "'\\''")}'`;
}

function sessionsOf(count: number): string {
  if (count === 0) return 'No live session ends with it.';
  return count === 1 ? 'One live session ends with it.' : `${count} live sessions end with it.`;
}
