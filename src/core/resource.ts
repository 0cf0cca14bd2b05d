/**
 * What policy names: a target, or a part of one. The id is a path of percent-encoded parts, and the same form stands
 * in policies, caveats, the CLI and the audit log.
 */
export type ResourceKind = 'Target' | 'Database' | 'Schema' | 'Table' | 'Column' | 'Function' | 'Setting' | 'Gateway';

export interface Resource {
  readonly kind: ResourceKind;
  /** Unencoded parts, outermost first: target, database, schema, relation, column. */
  readonly path: readonly string[];
}

/** Percent-encodes what would make a path ambiguous (`/`, `%`, `"`, `\`, control characters) and nothing else. */
export function encodePart(part: string): string {
  if (!AMBIGUOUS.test(part)) return part; // nearly always, and far cheaper
  return part.replaceAll(
    EACH_AMBIGUOUS,
    (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}

const AMBIGUOUS = /[\u0000-\u001f\u007f%/"\\]/;
const EACH_AMBIGUOUS: RegExp = new RegExp(AMBIGUOUS, 'g');

export function resourceId(resource: Resource): string {
  return resource.path.map(encodePart).join('/');
}

/** The resource one level up, or undefined for a target. Functions live in schemas, settings in databases. */
export function parentOf(resource: Resource): Resource | undefined {
  const path = resource.path.slice(0, -1);
  switch (resource.kind) {
    case 'Target':
    case 'Gateway':
      return undefined;
    case 'Database':
      return { kind: 'Target', path };
    case 'Schema':
    case 'Setting':
      return { kind: 'Database', path };
    case 'Table':
    case 'Function':
      return { kind: 'Schema', path };
    case 'Column':
      return { kind: 'Table', path };
  }
}
