import { Fault } from '../../core/fault.ts';
import { settingClass } from '../../sql/postgres/data/settings.ts';
import { writeQuery } from '../../wire/postgres/query.ts';

/** Settings the reading of statements relies on; a server that reports another value is not believed any more. */
export const PINNED: ReadonlyMap<string, string> = new Map([
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
]);

/** Does nothing and answers like SET: stands in for a change of `application_name`, which stays the gateway's own. */
export const SWALLOWED = "SET sallyport.swallowed TO ''";
export const SWALLOWED_QUERY: Uint8Array = writeQuery(SWALLOWED);

/**
 * The client's startup settings as they go upstream. Throws Fault PROTOCOL_UNSUPPORTED for one that could change what
 * statements mean behind the gateway's back.
 */
export function startupSettings(wanted: ReadonlyMap<string, string>): [string, string][] {
  const settings: [string, string][] = [];
  for (const [name, value] of wanted) {
    const kind = settingClass(name.toLowerCase(), value);
    if (kind === 'admin')
      throw new Fault(
        'PROTOCOL_UNSUPPORTED',
        `the startup parameter ${name} may not be set to this value through the gateway`,
      );
    if (kind === 'free' || kind === 'tracked') settings.push([name, value]);
  }
  return [...settings, ...PINNED];
}
