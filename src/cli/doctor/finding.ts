/** What one look found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly about: string;
  readonly verdict: 'good' | 'doubtful' | 'bad';
  /** A plain sentence. */
  readonly says: string;
  /** The next thing to do, where there is one. */
  readonly next?: string;
}

export function good(about: string, says: string): Finding {
  return { about, verdict: 'good', says };
}

export function doubtful(about: string, says: string, next?: string): Finding {
  return { about, verdict: 'doubtful', says, ...(next === undefined ? {} : { next }) };
}

export function bad(about: string, says: string, next?: string): Finding {
  return { about, verdict: 'bad', says, ...(next === undefined ? {} : { next }) };
}
