import { counted, type JsonObject, list, object, text, texts } from './json.ts';
import { clean, style } from './output.ts';

// How adoptions are told to people.

export type Doing = 'adopt' | 'undo' | 'forget';

/** What would be done. */
export function planText(doing: Doing, plan: JsonObject, endOthers: boolean): string {
  const adopted = object(plan['adopted']);
  const role = `${style.bold(clean(text(plan['user'])))} at ${clean(text(plan['address']))}`;
  const lines = [`The role ${role}, of target ${clean(text(plan['target']))}`, `  ${stateOf(plan, adopted)}`];
  if (texts(plan['shared']).length > 0)
    lines.push(`  also used by ${names(plan['shared'])}: they go over to the new password, too`);
  if (texts(plan['alike']).length > 0)
    lines.push(
      `  ${names(plan['alike'])} use a role of that name at another address: if that is the same server, they break`,
    );
  return [...lines, '', ...wouldLines(doing, plan, endOthers), '', ...othersLines(object(plan['others']))].join('\n');
}

function stateOf(plan: JsonObject, adopted: JsonObject): string {
  const since = `since ${text(adopted['at'])}, by ${clean(text(adopted['by']))}`;
  if (adopted['pending'] === true) return `a change of its password was begun (${since}) and did not end yet`;
  if (text(plan['from']) === '') return 'has no password in the configuration: there is nothing to take over';
  if (text(adopted['at']) === '') return `logs in with the password in ${clean(text(plan['from']))}`;
  return adopted['undo'] === true
    ? `logs in with a password sealed in the store (${since}); the one before is kept for --undo`
    : `logs in with a password sealed in the store (${since}); there is none to go back to`;
}

function wouldLines(doing: Doing, plan: JsonObject, endOthers: boolean): string[] {
  switch (doing) {
    case 'undo':
      return ['Would', '  give the role back the password it had before: copies of it log in again'];
    case 'forget':
      return ['Would', '  forget the password it had before: there is no way back then'];
    case 'adopt':
      return [
        'Would',
        ...(object(plan['adopted'])['pending'] === true
          ? ['  find out what became of that; where it got through, no more than that; else']
          : []),
        '  make a new password of 40 random characters and seal it, with the one in use, in the gateway’s store',
        '  have the role change its own: ALTER ROLE … PASSWORD with a SCRAM-SHA-256 verifier made here',
        '  log in with the new one, and see that the old one is refused',
        '  keep the old one sealed for --undo, until --forget',
        `  use the new one in place of ${clean(text(plan['configured']) || 'what the configuration says')}, which needs no change`,
        ...(endOthers ? ['  end the sessions below'] : []),
      ];
  }
}

function othersLines(others: JsonObject): string[] {
  if (text(others['unknown']) !== '')
    return [style.yellow(`Who else uses it cannot be told: ${clean(text(others['unknown']))}`)];
  if (others['pooled'] === true) return [style.yellow('Who else uses it cannot be told: a pooler stands between.')];
  const groups = list(others['groups']).map(object);
  if (groups.length === 0) return ['Nobody else uses the role at this moment.'];
  return [
    style.yellow('Others who use the role at this moment; they stay, and cannot log in again:'),
    ...groups.map((group) => {
      const apps = texts(group['applications']).join(', ') || 'no name';
      return clean(
        `  ${counted(group['sessions'], 'session')} from ${text(group['address']) || 'a local socket'} (${apps}), since ${text(group['since'])}`,
      );
    }),
  ];
}

/** What was done. */
export function doneText(doing: Doing, done: JsonObject, plan: JsonObject): string {
  const role = clean(text(plan['user']));
  switch (doing) {
    case 'undo':
      return UNDONE[text(done['outcome'])] ?? 'Undone.';
    case 'forget':
      return done['forgotten'] === true ? 'Forgotten: there is no way back any more.' : 'There was nothing to forget.';
    case 'adopt': {
      const lines = [
        done['old_still_works'] === true
          ? style.yellow(`Adopted, but the server lets ${role} in with the old password, too: see its pg_hba.conf.`)
          : `${style.green('Adopted.')} Only the gateway logs in as ${role} now; the old password is refused.`,
      ];
      if (done['ended'] !== undefined) lines.push(`Ended of others: ${counted(done['ended'], 'session')}.`);
      if (texts(plan['alike']).length > 0)
        lines.push(
          style.yellow(`See whether it is the same server for ${names(plan['alike'])}: sallyport targets test`),
        );
      for (const problem of texts(done['not_ended'])) lines.push(style.yellow(`some were not: ${clean(problem)}`));
      lines.push(`Back: sallyport targets adopt ${clean(text(plan['target']))} --undo --yes`);
      return lines.join('\n');
    }
  }
}

const UNDONE: Readonly<Record<string, string>> = {
  restored: 'The old password is in force, and the gateway uses what the configuration says again.',
  kept: 'The old password is in force. The configuration does not say it any more, so the gateway goes on with its sealed copy.',
  stale:
    'Somebody had changed the password to what the configuration says: the gateway uses that again. Nothing was altered.',
};

function names(value: unknown): string {
  return clean(texts(value).join(', '));
}
