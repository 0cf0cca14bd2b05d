import type { SqlFacts, StatementFacts } from '../../core/facts.ts';
import type { Conversation } from './conversation.ts';
import type { Undo } from './names.ts';

/** Keeps track of what PREPARE, DECLARE and their opposites do to names. Undefined when the statement does nothing to them. */
export function register(
  talk: Conversation,
  statement: StatementFacts,
  facts: SqlFacts,
  text: string,
): Undo | undefined {
  const { names } = statement;
  if (names === undefined) return undefined;
  const { kind, name } = names;
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
