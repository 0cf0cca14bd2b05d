import { cellsOf, connect } from '../clients/driver.ts';
import { type Case, expectSame, USUAL } from './case.ts';
import { load } from './lookups.ts';

const CLIENTS = 4;

/** Logging in and out, and nothing else. Behind a proxy the server is not needed for that. */
export const logins: Case = {
  name: 'connect-login',
  title: `Log in and leave, ${CLIENTS} clients`,
  unit: 'connections/s',
  better: 'more',
  per: 'connection',
  quick: false,
  kinds: USUAL,
  check: async (target) => await (await connect(target)).end(),
  measure: (target, setting) =>
    load(
      target,
      { mode: 'simple', clients: CLIENTS, seconds: setting.seconds, script: '\\set nothing 1\n', reconnect: true },
      setting,
    ),
};

/** With one statement: the server forks for it, except behind pgbouncer, which keeps connections. */
export const connects: Case = {
  name: 'connect-select',
  title: `Log in, ask once, leave, ${CLIENTS} clients`,
  unit: 'connections/s',
  better: 'more',
  per: 'connection',
  quick: true,
  kinds: USUAL,
  check: async (target) => expectSame('the answer', await cellsOf(target, 'select 1'), [['1']]),
  measure: (target, setting) =>
    load(
      target,
      { mode: 'simple', clients: CLIENTS, seconds: setting.seconds, script: 'select 1;', reconnect: true },
      setting,
    ),
};
