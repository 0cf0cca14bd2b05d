/** A part of the gateway measured by itself, in this process: what no comparison of whole connections can show. */
export interface Part {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** What is measured: the name of each reading, and one value of it a round. */
  open(): Promise<Opened>;
}

export interface Opened {
  /** One value for each reading, in about `seconds`. */
  measure(seconds: number): Promise<readonly Reading[]>;
  close(): Promise<void>;
}

export interface Reading {
  readonly of: string;
  readonly value: number;
}

export interface PartResult {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: Part['better'];
  readonly readings: readonly { readonly of: string; readonly values: readonly number[] }[];
}

/** Rounds of one part. What compiles as it goes is not judged by its first run. */
export async function measurePart(part: Part, rounds: number, seconds: number): Promise<PartResult> {
  const opened = await part.open();
  const values = new Map<string, number[]>();
  try {
    await opened.measure(seconds);
    for (let round = 0; round < rounds; round++) {
      for (const { of, value } of await opened.measure(seconds)) values.set(of, [...(values.get(of) ?? []), value]);
    }
  } finally {
    await opened.close();
  }
  const { name, title, unit, better } = part;
  return { name, title, unit, better, readings: [...values].map(([of, each]) => ({ of, values: each })) };
}
