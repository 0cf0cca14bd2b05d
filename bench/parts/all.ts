import { gate, lookUp } from './deciding.ts';
import { detectors } from './detectors.ts';
import { holds } from './holds.ts';
import type { Part } from './part.ts';
import { revocation } from './revocation.ts';

export const parts: readonly Part[] = [lookUp, gate, ...detectors, holds, revocation];
