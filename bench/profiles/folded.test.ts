import { describe, expect, it } from 'vitest';
import { type CpuProfile, fold } from './cpu-profile.ts';
import {
  below,
  chargedByFunction,
  chargedByRoom,
  longest,
  merge,
  roomOf,
  selfByFunction,
  selfByRoom,
  total,
  totalByRoom,
} from './folded.ts';

const ALWAYS = { from: 0, to: Number.POSITIVE_INFINITY };
const frame = (functionName: string, url = '', lineNumber = 9) => ({ functionName, url, lineNumber });

const profile: CpuProfile = {
  startTime: 1000,
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 5] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('clear', 'file:///home/me/src/data/gate.ts'), children: [4] },
    { id: 4, callFrame: frame('', 'file:///home/me/src/audit/log.ts'), children: [6] },
    { id: 5, callFrame: frame('onread', 'node:internal/stream_base_commons') },
    { id: 6, callFrame: frame('push', 'file:///home/me/node_modules/pg/lib/client.js') },
  ],
  samples: [3, 4, 2, 4, 5, 6],
  timeDeltas: [5, 10, 20, 30, 40, 50],
};

describe('a profile, folded', () => {
  it('gives each stack the time until the next sample, and keeps idle time apart', () => {
    const { busy, idle } = fold(profile, ALWAYS);
    expect([...busy]).toEqual([
      ['data/gate.ts:10 clear', 10],
      ['data/gate.ts:10 clear;audit/log.ts:10 (anonymous)', 20 + 40],
      ['node:internal/stream_base_commons:10 onread', 50],
    ]);
    expect(idle).toBe(30);
  });

  it('counts only what was sampled within the window', () => {
    // Samples are taken at 1005, 1015, 1035, 1065, 1105 and 1155.
    expect(total(fold(profile, { from: 1015, to: 1105 }).busy)).toBe(20 + 40);
  });

  it('names packages, and no path of the machine', () => {
    const { busy } = fold({ ...profile, samples: [6, 6], timeDeltas: [0, 7] }, ALWAYS);
    expect([...busy.keys()].at(0)).toMatch(/;npm:pg\/client\.js:10 push$/);
    expect([...busy.keys()].join()).not.toContain('home');
  });

  it('takes samples out of order for no time at all', () => {
    expect([...fold({ ...profile, samples: [3, 4, 4], timeDeltas: [0, -5, 8] }, ALWAYS).busy.values()]).toEqual([8]);
  });
});

describe('folded stacks', () => {
  const one = new Map([
    ['a/x.ts:1 f', 10],
    ['a/x.ts:1 f;b/y.ts:1 g', 30],
  ]);
  const two = new Map([
    ['a/x.ts:1 f;b/y.ts:1 g', 5],
    ['a/x.ts:1 f;b/y.ts:1 g;a/x.ts:1 f', 15],
  ]);

  it('merge by adding up what is the same', () => {
    expect([...merge([one, two])]).toEqual([
      ['a/x.ts:1 f', 10],
      ['a/x.ts:1 f;b/y.ts:1 g', 35],
      ['a/x.ts:1 f;b/y.ts:1 g;a/x.ts:1 f', 15],
    ]);
  });

  it('charge a function and a room with their own time', () => {
    const both = merge([one, two]);
    expect(selfByFunction(both).map(({ name, micros }) => [name, micros])).toEqual([
      ['b/y.ts:1 g', 35],
      ['a/x.ts:1 f', 25],
    ]);
    expect(selfByRoom(both).map(({ name, share }) => [name, share])).toEqual([
      ['b', 35 / 60],
      ['a', 25 / 60],
    ]);
  });

  it('charge a room once for a stack it is in twice', () => {
    expect(totalByRoom(two).map(({ name, micros }) => [name, micros])).toEqual([
      ['a', 20],
      ['b', 20],
    ]);
  });

  it('keep processes apart when they are put below a name', () => {
    expect(longest(merge([below('gateway', one), below('reader', one)])).map(({ name }) => name)).toEqual([
      '[gateway];a/x.ts:1 f;b/y.ts:1 g',
      '[reader];a/x.ts:1 f;b/y.ts:1 g',
      '[gateway];a/x.ts:1 f',
      '[reader];a/x.ts:1 f',
    ]);
  });

  it('charge what Node and V8 do to whom of ours asked for it', () => {
    const folded = below(
      'gateway',
      new Map([
        ['node:net:1 read;data/gate.ts:1 clear;node:net:9 write;writeBuffer', 8],
        ['data/gate.ts:1 clear', 2],
        ['node:net:1 read;npm:pg/client.js:1 query', 5],
        ['(garbage collector)', 1],
      ]),
    );
    expect(chargedByFunction(folded).map(({ name, micros }) => [name, micros])).toEqual([
      ['data/gate.ts:1 clear', 10],
      ['npm:pg/client.js:1 query', 5],
      ['(garbage collector)', 1],
    ]);
    expect(chargedByRoom(folded).map(({ name }) => name)).toEqual(['data', 'npm:pg', '(garbage collector)']);
    expect(totalByRoom(folded).find(({ name }) => name === '(built in)')?.micros).toBe(8);
  });

  it.each([
    ['drivers/postgres/lane.ts:3 take', 'drivers/postgres'],
    ['main.ts:3 serve', 'src'],
    ['node:net:3 write', 'node'],
    ['npm:@scope/name/file.js:3 call', 'npm:@scope/name'],
    ['(garbage collector)', '(garbage collector)'],
    ['writev', '(built in)'],
  ])('put %s into the room %s', (name, room) => {
    expect(roomOf(name)).toBe(room);
  });
});
