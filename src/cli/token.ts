import type { GatewayClient } from './client.ts';
import { Failure } from './failure.ts';
import { number, object, text } from './json.ts';

/** A pass as the token endpoint gave it. */
export interface IssuedPass {
  readonly pass: string;
  readonly grant: string;
  /** RFC 3339. */
  readonly expires: string;
  readonly connectBy: string;
  readonly summary: string;
  readonly principal: string | undefined;
  /** The whole answer. */
  readonly answer: Readonly<Record<string, unknown>>;
}

export const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:';

/** RFC 8693 at the gateway's token endpoint. */
export async function exchange(gateway: GatewayClient, fields: Readonly<Record<string, string>>): Promise<IssuedPass> {
  const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const answer = object(await gateway.form('/oauth/token', { grant_type: grantType, ...fields }));
  const pass = text(answer['access_token']);
  if (!isPass(pass)) throw new Failure('the gateway answered without a pass');
  const about = object(await gateway.form('/oauth/introspect', { token: pass }));
  return {
    pass,
    grant: text(answer['grant_id']),
    expires: new Date(1000 * (number(about['exp']) ?? 0)).toISOString(),
    connectBy: text(answer['connect_by']),
    summary: text(answer['summary']),
    principal: text(about['username']) || undefined,
    answer,
  };
}

const PASS = /^slp_([0-9A-Za-z]{22})_([0-9A-Za-z]{38})$/;

export function isPass(value: string): boolean {
  return PASS.test(value);
}

/** What a client that speaks SCRAM logs in with: the secret part never leaves the machine as itself. */
export function scramLogin(pass: string): { readonly user: string; readonly password: string } {
  const [, grant, password] = PASS.exec(pass) ?? [];
  if (grant === undefined || password === undefined) throw new Failure('this is not a pass (slp_…)');
  return { user: `g.${grant}`, password };
}
