import { describe, expect, it } from 'vitest';
import type { Decision, Denial, Permit } from '../core/decision.ts';
import { deny } from '../core/decision.ts';
import { Fault } from '../core/fault.ts';
import type { MaskObligation } from '../core/obligation.ts';
import type { Operation } from '../core/operation.ts';
import { type Asked, clear, type GatePorts } from './gate.ts';

const operation: Operation = {
  protocol: 'postgres',
  text: 'DROP TABLE orders',
  parameters: undefined,
  facts: { statements: [], fingerprint: 'f', normalised: 'DROP TABLE orders' },
  database: 'shop',
  role: 'app',
  searchPath: ['public'],
};
const mask: MaskObligation = { kind: 'mask', column: 'c', table: 1, attribute: 2, label: 'pii', style: 'null' };
const permit: Permit = { effect: 'permit', policies: ['p1'], obligations: [mask] };
const hold: Decision = { effect: 'hold', policies: ['p2'], obligations: [mask], rules: ['dba'], message: 'ask' };

/** A request that is answered so, and redeemed so. */
function asked(answer: Denial | 'approved', redeemed: Permit | Denial = { ...permit, approval: 'r1' }): Asked {
  return { request: 'r1', answer: async () => answer, redeem: async () => redeemed };
}

/** Ports that permit everything, unless told otherwise, and a log of what was called in which order. */
function fakes(over: Partial<GatePorts> = {}): { ports: GatePorts; log: string[] } {
  const log: string[] = [];
  const base: GatePorts = {
    admit: () => undefined,
    decide: () => permit,
    ask: async () => asked('approved'),
    debit: () => undefined,
    record: async () => {},
    spell: ({ text }) => text,
    ...over,
  };
  const logged =
    <A extends unknown[], R>(name: string, port: (...args: A) => R) =>
    (...args: A): R => {
      log.push(name);
      return port(...args);
    };
  const ports: GatePorts = {
    admit: logged('admit', base.admit),
    decide: logged('decide', base.decide),
    ask: logged('ask', base.ask),
    debit: logged('debit', base.debit),
    record: (...args) => {
      log.push(`record ${args[2].effect}`);
      return base.record(...args);
    },
    spell: logged('spell', base.spell),
  };
  return { ports, log };
}

describe('the gate', () => {
  it('decides, debits, records and looks again, in this order', async () => {
    const { ports, log } = fakes();
    await expect(clear(operation, 7, ports)).resolves.toMatchObject({ operation, sequence: 7, obligations: [mask] });
    expect(log).toEqual(['admit', 'decide', 'debit', 'spell', 'record permit', 'admit']);
  });

  it('records the text that is sent in place of the client’s, and clears that', async () => {
    const recorded: (string | undefined)[] = [];
    const { ports } = fakes({
      spell: () => 'SELECT masked',
      record: async (_operation, _sequence, _decision, sent) => {
        recorded.push(sent);
      },
    });
    await expect(clear(operation, 1, ports)).resolves.toMatchObject({ sent: 'SELECT masked' });
    expect(recorded).toEqual(['SELECT masked']);
  });

  it('denies what cannot be masked', async () => {
    const { ports, log } = fakes({
      spell: () => {
        throw new Fault('POLICY_FAILED', 'no such place');
      },
    });
    await expect(clear(operation, 1, ports)).resolves.toMatchObject({ effect: 'deny', reason: 'policy-fault' });
    expect(log).toContain('record deny');
  });

  it('records a hold before it waits, and the outcome before it clears', async () => {
    const { ports, log } = fakes({ decide: () => hold });
    await expect(clear(operation, 1, ports)).resolves.toMatchObject({ obligations: [mask] });
    const again = ['admit', 'decide'];
    expect(log).toEqual([
      'admit',
      'decide',
      'ask',
      'record hold',
      ...again,
      'debit',
      'spell',
      'record permit',
      'admit',
    ]);
  });

  it('looks at everything afresh once people have answered', async () => {
    let decided = 0;
    const { ports } = fakes({ decide: () => (++decided > 1 ? deny('forbidden', 'by now') : hold) });
    await expect(clear(operation, 1, ports)).resolves.toMatchObject({ effect: 'deny', message: 'by now' });
    let admitted = 0;
    const late = fakes({ decide: () => hold, admit: () => (++admitted > 1 ? deny('grant-revoked', 'x') : undefined) });
    await expect(clear(operation, 1, late.ports)).resolves.toMatchObject({ effect: 'deny', reason: 'grant-revoked' });
  });

  it('records a denial and debits nothing for it', async () => {
    const { ports, log } = fakes({ decide: () => deny('forbidden', 'no') });
    await expect(clear(operation, 1, ports)).resolves.toMatchObject({ effect: 'deny', reason: 'forbidden' });
    expect(log).toEqual(['admit', 'decide', 'record deny']);
  });

  it.each<[string, Partial<GatePorts>, string]>([
    [
      'the decision throws',
      {
        decide: () => {
          throw new Fault('POLICY_FAILED', 'x');
        },
      },
      'policy-fault',
    ],
    ['nobody can be asked', { decide: () => hold, ask: () => Promise.reject(new Error('x')) }, 'policy-fault'],
    ['people say no', { decide: () => hold, ask: async () => asked(deny('approval-denied', 'x')) }, 'approval-denied'],
    [
      'the approval was used already',
      { decide: () => hold, ask: async () => asked('approved', deny('approval-required', 'x')) },
      'approval-required',
    ],
    ['the debit rejects', { debit: () => Promise.reject(new Fault('STORE_UNAVAILABLE', 'x')) }, 'policy-fault'],
    ['uses are gone', { debit: () => deny('uses-exhausted', 'x') }, 'uses-exhausted'],
    ['the record rejects', { record: () => Promise.reject(new Fault('EVIDENCE_UNWRITABLE', 'x')) }, 'record-fault'],
    ['nothing may be cleared', { admit: () => deny('feed-stale', 'x') }, 'feed-stale'],
    ['admission rejects', { admit: () => Promise.reject(new Error('x')) }, 'policy-fault'],
  ])('denies when %s', async (_name, over, reason) => {
    const { ports } = fakes(over);
    await expect(clear(operation, 1, ports)).resolves.toMatchObject({ effect: 'deny', reason });
  });

  it('clears nothing before the record resolved', async () => {
    let written = () => {};
    const { ports } = fakes({
      record: () =>
        new Promise((resolve) => {
          written = resolve;
        }),
    });
    let cleared = false;
    const answer = clear(operation, 1, ports).then(() => {
      cleared = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(cleared).toBe(false);
    written();
    await answer;
    expect(cleared).toBe(true);
  });

  it('denies what was revoked while it was being recorded', async () => {
    let asked = 0;
    const { ports, log } = fakes({ admit: () => (++asked > 1 ? deny('grant-revoked', 'x') : undefined) });
    await expect(clear(operation, 1, ports)).resolves.toMatchObject({ reason: 'grant-revoked' });
    expect(log.slice(-2)).toEqual(['admit', 'record deny']);
  });

  it.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw new Error('x');
      },
    ],
    ['rejects', () => Promise.reject(new Error('x'))],
  ])('denies when it cannot look again: looking %s', async (_name, fail) => {
    let asked = 0;
    const { ports, log } = fakes({ admit: () => (++asked > 1 ? fail() : undefined) });
    await expect(clear(operation, 1, ports)).resolves.toMatchObject({ effect: 'deny', reason: 'policy-fault' });
    expect(log.slice(-2)).toEqual(['admit', 'record deny']);
  });

  it('waits for what is not there at once, in the same order', async () => {
    const late = async <T>(value: T): Promise<T> => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return value;
    };
    const { ports, log } = fakes({ admit: () => late(undefined), debit: () => late(undefined) });
    await expect(clear(operation, 1, ports)).resolves.toMatchObject({ obligations: [mask] });
    expect(log).toEqual(['admit', 'decide', 'debit', 'spell', 'record permit', 'admit']);
  });
});
