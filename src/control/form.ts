import { type OAuthError, oauthError } from '../identity/oauth-error.ts';

const MAX_FIELDS = 32;
const MAX_NAME = 64;

/**
 * Reads a form, no parameter twice (RFC 6749 §3.2). Percent sequences that are not UTF-8 are refused, because two
 * readers could take them for two different things. An empty value stays: whoever reads the fields says what it means.
 */
export function readForm(text: string): URLSearchParams | OAuthError {
  const fields = new URLSearchParams();
  const pairs = text.split('&').filter((pair) => pair !== '');
  if (pairs.length > MAX_FIELDS) return oauthError('invalid_request', `more than ${MAX_FIELDS} parameters`);
  const seen = new Set<string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
    if (name === undefined || value === undefined)
      return oauthError('invalid_request', 'the form is not properly encoded');
    if (name.length > MAX_NAME) return oauthError('invalid_request', 'a parameter has too long a name');
    if (seen.has(name)) return oauthError('invalid_request', `a parameter stands twice: ${JSON.stringify(name)}`);
    seen.add(name);
    fields.set(name, value);
  }
  return fields;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
