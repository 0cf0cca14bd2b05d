import { isId } from '../core/id.ts';
import { Failure } from './failure.ts';

const LISTS = {
  session: 'sallyport sessions --all',
  grant: 'sallyport pass tree --all',
  request: 'sallyport approvals --all',
  delivery: 'sallyport deliveries --all',
} as const;

/** An id as it was typed or pasted, also out of a login (`g.<id>`); said to be none before a gateway is asked. */
export function idOf(text: string, what: keyof typeof LISTS): string {
  const id = text.replace(/^g\./, '');
  if (isId(id)) return id;
  throw new Failure(`${text} is not the id of a ${what}`, { hint: `"${LISTS[what]}" shows them.`, exit: 2 });
}
