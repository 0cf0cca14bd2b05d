import type { SqlFacts, SqlName } from '../../core/facts.ts';
import type { Operation } from '../../core/operation.ts';
import type { Conversation } from './conversation.ts';
import { type Undo, undoAll } from './names.ts';

/** Keeps track of what PREPARE, DECLARE and their opposites do to names. Undefined when a text does nothing to them. */
export function register(talk: Conversation, { text, facts }: Operation, masks: string): Undo | undefined {
  const undos: Undo[] = [];
  for (const { names } of facts.statements) {
    const undo = names && change(talk, names, { text, facts, masks });
    if (undo !== undefined) undos.unshift(undo);
  }
  if (undos.length === 0) return undefined;
  return undoAll(undos);
}

const PREPARED = { kind: 'prepared', types: [], fields: undefined, facts: undefined } as const;

interface Sent {
  readonly text: string;
  readonly facts: SqlFacts;
  readonly masks: string;
}

function change(talk: Conversation, { kind, name }: SqlName, { text, facts, masks }: Sent): Undo | undefined {
  switch (kind) {
    case 'prepare':
      return talk.prepared.set(name ?? '', { ...PREPARED, text, masks });
    case 'deallocate':
      return name === undefined ? talk.prepared.clear() : talk.prepared.drop(name);
    case 'declare':
      return talk.portals.set(name ?? '', { kind: 'cursor', text, facts, masks });
    case 'close':
      return name === undefined ? talk.portals.clear() : talk.portals.drop(name);
    case 'execute':
    case 'fetch':
      return undefined;
  }
}
