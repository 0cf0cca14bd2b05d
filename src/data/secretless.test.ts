import { expect, it } from 'vitest';
import { secretless } from './secretless.ts';

const PASS = `slp_${'g'.repeat(22)}_${'s'.repeat(38)}`;

it.each([
  ["alter role app password 's3cret'", "alter role app password '***'"],
  [
    "CREATE USER x WITH ENCRYPTED PASSWORD E's3\\'cret' VALID UNTIL 'infinity'",
    "CREATE USER x WITH ENCRYPTED PASSWORD '***' VALID UNTIL 'infinity'",
  ],
  ['alter role app password $x$s3cret$x$', "alter role app password '***'"],
  ["alter role app password /* 'no' */ 's3cret'", "alter role app password /* 'no' */ '***'"],
  [
    "create user mapping for a server s options (user 'u', password 's3cret')",
    "create user mapping for a server s options (user 'u', password '***')",
  ],
  [
    `create user mapping for a server s options ("password" 's3cret')`,
    `create user mapping for a server s options ("password" '***')`,
  ],
  ["select dblink('host=x password=s3cret dbname=y')", "select dblink('host=x password=*** dbname=y')"],
  [
    "create subscription s connection 'user=u password=''s3 cret''' publication p",
    "create subscription s connection 'user=u password=***' publication p",
  ],
  ["alter role app password 's3cret", "alter role app password '***'"],
  [`select '${PASS}'`, `select 'slp_${'g'.repeat(22)}_***'`],
  [`-- ${PASS}\nselect 1`, `-- slp_${'g'.repeat(22)}_***\nselect 1`],
])('takes secrets out of %s', (before, after) => {
  expect(secretless(before)).toBe(after);
});

it.each([
  "select 'the password is in the safe'",
  'alter role app password null',
  "select password, 'x' from accounts where login = 'y'",
  "update accounts set hash = 'x' where password_age > 3",
  'select 1',
])('leaves %s alone', (text) => {
  expect(secretless(text)).toBe(text);
});
