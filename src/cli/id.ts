import { isId } from '../core/id.ts';
import { Failure } from './failure.ts';

/** An id as it was typed or pasted, also out of a login (`g.<id>`); said to be none before a gateway is asked. */
export function idOf(text: string, what: 'session' | 'grant'): string {
  const id = text.replace(/^g\./, '');
  if (isId(id)) return id;
  const list = what === 'session' ? 'sallyport sessions --all' : 'sallyport pass tree --all';
  throw new Failure(`${text} is not the id of a ${what}`, { hint: `"${list}" shows them.`, exit: 2 });
}
