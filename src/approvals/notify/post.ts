import { SendFailure } from './destination.ts';

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** Bytes of the answer that are read at most; 0: it is not looked at. */
  readonly read: number;
}

/**
 * One POST, no redirect followed: who can redirect could have what was signed for one receiver sent to another. Resolves
 * to the answer's text when its status is 2xx; throws SendFailure.
 */
export async function post({ url, headers, body, signal, read }: Post): Promise<string> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'user-agent': 'sallyport', ...headers },
      body,
      redirect: 'manual',
      signal,
    });
    if (response.ok && read > 0) return await textOf(response, read);
    await response.body?.cancel();
    if (response.ok) return '';
    const { status } = response;
    if (status >= 300 && status < 400) throw new SendFailure(`HTTP ${status}: redirects are not followed`);
    throw new SendFailure(`HTTP ${status}`, retryAfterOf(response));
  } catch (thrown) {
    if (thrown instanceof SendFailure) throw thrown;
    throw new SendFailure(signal.aborted ? 'no answer in time' : whyOf(thrown));
  }
}

async function textOf(response: Response, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > most) throw new SendFailure('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** In seconds; as a date (RFC 9110 §10.2.3) nobody we send to writes it. */
function retryAfterOf(response: Response): number | undefined {
  const seconds = response.headers.get('retry-after') ?? '';
  return /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}

/** The code of what went wrong below; messages may quote the address, and addresses of webhooks are secrets. */
export function whyOf(thrown: unknown): string {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && typeof error.code === 'string') return `not reached: ${error.code}`;
  }
  return 'not reached';
}
