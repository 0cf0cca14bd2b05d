import type { SettingChange, StatementFacts } from '../../core/facts.ts';
import { constantText } from './calls.ts';
import { settingClass } from './data/settings.ts';
import type { Ledger } from './ledger.ts';
import { bodyOf, listAt, type Tree, textAt, treeAt, type Value } from './tree.ts';

/** SET and RESET, by class of setting. */
export function readSet(body: Tree, ledger: Ledger): StatementFacts {
  const name = textAt(body, 'name').toLowerCase();
  switch (textAt(body, 'kind')) {
    case 'VAR_SET_VALUE': {
      const value = constantsOf(listAt(body, 'args'));
      return changed(ledger, { name, value, class: settingClass(name, value) });
    }
    case 'VAR_SET_MULTI':
      // SET TRANSACTION, SET SESSION CHARACTERISTICS; a snapshot is another transaction's view, by its own right.
      return name === 'transaction snapshot'
        ? changed(ledger, { name, value: undefined, class: 'admin' })
        : ledger.facts({ verb: 'session', free: true });
    case 'VAR_RESET_ALL':
      // Everything goes back to how the session began, where the pinned ones were pinned.
      return changed(ledger, { name: 'search_path', value: undefined, class: 'tracked' });
    case 'VAR_SET_CURRENT':
      return ledger.facts({ verb: 'session', free: true });
    default:
      return changed(ledger, { name, value: undefined, class: settingClass(name, undefined) });
  }
}

export function readShow(ledger: Ledger): StatementFacts {
  return ledger.facts({ verb: 'session', free: true });
}

function changed(ledger: Ledger, change: SettingChange): StatementFacts {
  ledger.setting(change);
  return ledger.facts({ verb: 'session', free: change.class !== 'admin' });
}

/** Constants joined as SHOW would, or undefined for anything else. */
function constantsOf(args: readonly Value[]): string | undefined {
  const parts = args.map((arg) => constantText(arg) ?? numberOf(arg) ?? intervalOf(arg));
  return parts.includes(undefined) ? undefined : parts.join(', ');
}

function numberOf(value: Value): string | undefined {
  const constant = bodyOf(value, 'A_Const');
  if (!constant) return undefined;
  const integer = treeAt(constant, 'ival');
  // The parser leaves a zero out.
  if (integer) return JSON.stringify(integer['ival'] ?? 0);
  const float = treeAt(constant, 'fval');
  return float && textAt(float, 'fval');
}

/** SET TIME ZONE INTERVAL '1' HOUR. */
function intervalOf(value: Value): string | undefined {
  const cast = bodyOf(value, 'TypeCast');
  const constant = cast && bodyOf(cast['arg'], 'A_Const');
  const text = constant && treeAt(constant, 'sval');
  return text && textAt(text, 'sval');
}
