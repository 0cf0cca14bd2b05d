import { type Kind, list } from './kind.ts';

/** What opens something. */
export const SECRETS: readonly Kind[] = [
  {
    label: 'secret',
    mask: 'null',
    detectors: ['secret', 'entropy'],
    names: list(
      'password, passwd, pwd, passphrase, password hash, passhash, secret, client secret, secret key, private key, ' +
        'api key, access key, access token, refresh token, auth token, bearer token, session token, reset token, ' +
        'token, otp, totp, mfa secret, recovery code, recovery codes, credential, credentials',
    ),
    columns: list(
      '*password, *password_hash, *passwordHash, *passwd, *secret, *Secret, *api_key, *apiKey, *private_key, ' +
        '*privateKey, *access_token, *refresh_token, *auth_token, *_token, *Token',
    ),
  },
];
