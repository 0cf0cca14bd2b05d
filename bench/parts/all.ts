import { gate, lookUp } from './deciding.ts';
import { detectors } from './detectors.ts';
import type { Part } from './part.ts';

export const parts: readonly Part[] = [lookUp, gate, ...detectors];
