import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { list, object, text } from '../json.ts';
import { check, no } from './check.ts';
import { type Held, logIn, sallyport } from './passes.ts';
import type { Stage } from './stage.ts';
import { chapter, say } from './voice.ts';

// Who did what, when, why and on whose behalf; and that nobody changed it afterwards.

export async function erinWatches(stage: Stage, helper: Held, bob: Held): Promise<string> {
  chapter(15, 'Erin, the auditor, watches the helper’s session, and Bob’s');
  say('Recordings hold what was asked and what was told, as it was masked. That Erin looked is recorded as well.');
  const erin = await logIn(stage, 'erin');
  const session = await sessionOf(stage, erin, helper);
  const output = await sallyport(stage, erin, 'replay', session, '--instant');
  check('the whole chain stands above it', output, /alice@shop\.example > .*\(attested\) > helper \(asserted\)/);
  check('with what was masked, and what was denied', output, /masked: .*email/, /denied.*staff/, no(/customer1@mail/));
  await scramWasUsed(stage, erin, session);
  const own = await sallyport(stage, erin, 'replay', await sessionOf(stage, erin, bob), '--instant');
  check('what was held, and the request that lifted it', own, /held by prod-ddl/, /approved \(request \w{22}\)/);
  return session;
}

async function sessionOf(stage: Stage, erin: Held, { grant }: Held): Promise<string> {
  const listed = await stage.as(erin.pass).get(`/v1/sessions?all=true&chain=${grant}`);
  return text(object(list(object(listed)['sessions'])[0])['id']);
}

/** The audit log knows how the helper logged in. */
async function scramWasUsed(stage: Stage, erin: Held, session: string): Promise<void> {
  const query = new URLSearchParams({ session, type: 'session.start', last: '1' });
  let start = '';
  for await (const event of stage.as(erin.pass).lines(`/v1/audit?${query.toString()}`)) start = JSON.stringify(event);
  check('the helper’s login was bound to the gateway’s certificate', start, /"binding":"channel"/);
}

export async function auditHolds(stage: Stage, session: string): Promise<void> {
  chapter(16, 'The audit log, and somebody who would change it');
  const data = join(stage.world.directory, 'var');
  const whole = await sallyport(stage, undefined, 'audit', 'verify', '--data', data);
  check('every link and signature verifies', whole, /Everything verifies/);

  say('In a copy, whoever has the disk turns “alice” into “carol” in one event of that session:');
  const copy = join(stage.home, 'copy');
  cpSync(join(data, 'evidence'), join(copy, 'evidence'), { recursive: true });
  forge(join(copy, 'evidence'), session);
  const key = join(data, 'keys', 'evidence.pub');
  const forged = await sallyport(stage, undefined, 'audit', 'verify', '--data', copy, '--key', key);
  check('the first broken link is named', forged, /broken \S+\.seg:\d+/, /does not verify/);
}

/** Changes one name in place, so that lengths and offsets stay right. */
function forge(evidence: string, session: string): void {
  const files = readdirSync(evidence, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.seg'));
  for (const file of files) {
    const path = join(evidence, file);
    const bytes = readFileSync(path);
    const event = bytes.indexOf(`"session":"${session}"`);
    const name = event < 0 ? -1 : bytes.indexOf('alice', event);
    if (name < 0) continue;
    bytes.write('carol', name, 'latin1');
    writeFileSync(path, bytes);
    return;
  }
  throw new Failure('the session is not in the evidence');
}
