/**
 * A script in the part of a person at a browser: follows redirects, keeps cookies, posts the development identity
 * provider's forms, and says who it is when asked. Returns where it ended up and what stood there.
 */
export async function browseAs(
  person: string,
  start: string,
  stopAt?: string,
): Promise<{ readonly url: string; readonly text: string }> {
  const cookies = new Map<string, string>();
  let url = start;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < MOST_STEPS; step++) {
    if (stopAt !== undefined && url.startsWith(stopAt)) return { url, text: '' };
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { ...(cookie === '' ? {} : { cookie }), accept: 'text/html' },
      ...(form ? { method: 'POST', body: form } : {}),
    });
    for (const line of response.headers.getSetCookie()) keepCookie(cookies, line);
    const text = await response.text();
    const location = response.headers.get('location');
    form = undefined;
    if (location !== null && response.status >= 300 && response.status < 400) {
      url = new URL(location, url).href;
      continue;
    }
    const next = readForm(text, person);
    if (!next || response.status >= 400) return { url, text };
    url = new URL(next.action ?? url, url).href;
    form = next.fields;
  }
  throw new Error(`no end after ${MOST_STEPS} pages, at ${url}`);
}

const MOST_STEPS = 20;

function keepCookie(cookies: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
  if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
  else cookies.set(name, value);
}

/** The first form of a page, filled in. */
function readForm(html: string, person: string): { action: string | undefined; fields: URLSearchParams } | undefined {
  const found = /<form\b[^>]*>[\s\S]*?<\/form>/.exec(html)?.[0];
  if (found === undefined) return undefined;
  const fields = new URLSearchParams();
  for (const [input] of found.matchAll(/<input\b[^>]*>/g)) {
    const name = attribute(input, 'name');
    if (name !== undefined) fields.set(name, attribute(input, 'value') ?? '');
  }
  if (/<button name="person"/.test(found)) fields.set('person', person);
  return { action: attribute(/<form\b[^>]*>/.exec(found)?.[0] ?? '', 'action'), fields };
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll('&amp;', '&');
}
