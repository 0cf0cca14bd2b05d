import { DETECTORS, Scanner } from '../../src/masking/detectors/scanner.ts';
import type { Part, Reading } from './part.ts';
import { samples } from './samples.ts';

const SIZE = 200_000;

function scanning(name: string, title: string, detectors: readonly string[]): Part {
  return {
    name,
    title,
    unit: 'MB/s',
    better: 'more',
    open: async () => {
      const scanner = new Scanner([
        Object.assign({ kind: 'detect' as const, detectors }, { ['then' as const]: 'observe' as const }),
      ]);
      const all = samples(SIZE);
      return {
        measure: async (seconds) =>
          all.map((each): Reading => {
            const until = performance.now() + (seconds * 1000) / all.length;
            let best = 0;
            while (performance.now() < until) {
              const begin = performance.now();
              for (let i = 0; i + 1 < each.borders.length; i++) {
                scanner.scan(each.bytes, each.borders[i] ?? 0, each.borders[i + 1] ?? 0, 'text', () => {});
              }
              best = Math.max(best, each.bytes.length / 1000 / (performance.now() - begin));
            }
            return { of: each.name, value: best };
          }),
        close: async () => {},
      };
    },
  };
}

export const detectors: readonly Part[] = [
  scanning('detect-usual', 'Detectors: card, ssn and email, by what is scanned', ['card', 'ssn', 'email']),
  scanning('detect-all', 'Detectors: all ten, by what is scanned', DETECTORS),
];
