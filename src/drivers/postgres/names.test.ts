import { describe, expect, it } from 'vitest';
import { Names } from './names.ts';

describe('a register of names', () => {
  it('takes back a change that the server skipped', () => {
    const names = new Names<number>(10);
    names.set('a', 1);
    const undo = names.set('a', 2);
    undo();
    expect(names.get('a')).toBe(1);
  });

  it('takes back a chain of changes in reverse', () => {
    const names = new Names<number>(10);
    names.set('a', 1);
    const undos = [names.set('a', 2), names.drop('a'), names.set('a', 3)];
    for (const undo of undos.toReversed()) undo();
    expect(names.get('a')).toBe(1);
  });

  it('leaves alone what was changed again since', () => {
    const names = new Names<number>(10);
    const undo = names.set('a', 1);
    names.set('a', 2);
    undo();
    expect(names.get('a')).toBe(2);
  });

  it('brings back what was cleared', () => {
    const names = new Names<number>(10);
    names.set('a', 1);
    names.clear()();
    expect(names.get('a')).toBe(1);
  });
});

describe('a name whose last change is not answered', () => {
  it('is in doubt only from the next segment on', () => {
    const names = new Names<number>(10);
    const undo = names.set('a', 1);
    expect(names.inDoubt('a')).toBe(false);
    names.boundary();
    expect(names.inDoubt('a')).toBe(true);
    undo.keep?.();
    expect(names.inDoubt('a')).toBe(false);
    expect(names.get('a')).toBe(1);
  });

  it('never comes back as something that was skipped before it', () => {
    const names = new Names<number>(10);
    names.set('a', 1).keep?.();
    const skipped = [names.drop('a'), names.set('a', 2)];
    names.boundary();
    const refused = names.set('a', 3);
    for (const undo of skipped.toReversed()) undo();
    refused();
    expect(names.get('a')).toBe(1);
  });

  it('is forgotten once the server dropped it', () => {
    const names = new Names<number>(1);
    names.set('a', 1).keep?.();
    expect(names.full).toBe(true);
    names.drop('a').keep?.();
    expect(names.full).toBe(false);
  });
});
