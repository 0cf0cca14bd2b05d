import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Attacker } from './testing/twins/attack.ts';
import { attemptsIn, twinFiles } from './testing/twins/attempts.ts';
import { Prover } from './testing/twins/prove.ts';
import { CANARY, Twins } from './testing/twins/world.ts';

// Two databases that differ in labelled values and in nothing else must not be told apart through the gateway.

const files = twinFiles().map((file) => ({ file, attempts: attemptsIn(file) }));
const all = files.flatMap(({ attempts }) => attempts);

let twins: Twins;
let prover: Prover;
let attacker: Attacker;

beforeAll(async () => {
  twins = await Twins.start();
  prover = new Prover(twins);
  attacker = new Attacker(twins);
  await prover.open();
  await attacker.open();
});
afterAll(async () => {
  prover?.close();
  attacker?.close();
  await twins?.stop();
});

it('every attempt stands once, and gives nothing away itself', () => {
  const names = all.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.filter((name) => CANARY.test(name))).toEqual([]);
});

describe.each(files)('$file', ({ attempts }) => {
  it.each(attempts)('works without the gateway: $name', async (attempt) => {
    expect(await prover.prove(attempt)).toBeDefined();
  });

  it.each(attempts)('tells nothing through it: $name', async (attempt) => {
    expect(await attacker.attack(attempt, 'simple')).toEqual([]);
    expect(await attacker.attack(attempt, 'extended')).toEqual([]);
  });
});
