import type { SqlFacts, SqlName } from '../../core/facts.ts';
import type { Conversation } from './conversation.ts';
import { type Undo, undoAll } from './names.ts';

/** Keeps track of what PREPARE, DECLARE and their opposites do to names. Undefined when a text does nothing to them. */
export function register(talk: Conversation, facts: SqlFacts, text: string): Undo | undefined {
  const undos: Undo[] = [];
  for (const { names } of facts.statements) {
    const undo = names && change(talk, names, facts, text);
    if (undo !== undefined) undos.unshift(undo);
  }
  if (undos.length === 0) return undefined;
  return undoAll(undos);
}

function change(talk: Conversation, { kind, name }: SqlName, facts: SqlFacts, text: string): Undo | undefined {
  switch (kind) {
    case 'prepare':
      return talk.prepared.set(name ?? '', { kind: 'prepared', text, types: [], fields: undefined, facts: undefined });
    case 'deallocate':
      return name === undefined ? talk.prepared.clear() : talk.prepared.drop(name);
    case 'declare':
      return talk.portals.set(name ?? '', { kind: 'cursor', facts });
    case 'close':
      return name === undefined ? talk.portals.clear() : talk.portals.drop(name);
    case 'execute':
    case 'fetch':
      return undefined;
  }
}
