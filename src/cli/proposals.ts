import { type JsonObject, list, number, object, text, texts } from './json.ts';
import { clean, plainTable } from './output.ts';

// How proposals of labels are told: to people, and as lines of sallyport.yaml.

/** For people: what to label, and why. */
export function proposalTable(proposals: readonly JsonObject[]): string {
  const isAll = proposals.some((one) => texts(one['has']).length > 0);
  const rows = proposals.map((one) => [
    placeOf(one),
    text(one['label']),
    text(one['mask']),
    text(one['confidence']),
    why(one),
    ...(isAll ? [texts(one['has']).join(', ')] : []),
  ]);
  return plainTable(['COLUMN', 'LABEL', 'MASK', 'HOW SURE', 'WHY', ...(isAll ? ['HAS'] : [])], rows);
}

/** Lines for `columns:` of the target. What may be nothing is commented out: to be looked at, not pasted unread. */
export function proposalYaml(proposals: readonly JsonObject[]): string {
  const lines = proposals.map((one) => {
    const parts = [
      `column: ${scalar(text(one['column']))}`,
      `label: ${scalar(text(one['label']))}`,
      `mask: ${text(one['mask']) === 'null' ? '"null"' : text(one['mask'])}`,
      ...(one['path'] === undefined ? [] : [`path: ${scalar(texts(one['path']).join('.'))}`]),
    ];
    const mark = text(one['confidence']) === 'maybe' ? '#' : '';
    return `      ${mark}- { ${parts.join(', ')} }  # ${clean(why(one))}`;
  });
  return ['    columns:', ...lines].join('\n');
}

function placeOf(one: JsonObject): string {
  const path = texts(one['path']);
  return path.length === 0 ? text(one['column']) : `${text(one['column'])} at ${path.join('.')}`;
}

/** `email in 96% of 1000 values; its name`. Shares and names, never what was found. */
function why(one: JsonObject): string {
  const cells = number(one['cells']) ?? 0;
  const matched = number(one['matched']) ?? 0;
  if (matched === 0) return 'its name alone';
  const share = matched === cells ? 'all' : percent(matched / cells);
  const seen = cells === 1 ? 'its one value' : `${share} of ${cells} values`;
  const where = one['within'] === true ? ', inside longer text' : '';
  const name = one['named'] === true ? '; its name' : '';
  return `${texts(one['detectors']).join(', ')} in ${seen}${where}${name}`;
}

function percent(share: number): string {
  return share < 0.01 ? 'under 1%' : `${Math.min(99, Math.round(share * 100))}%`;
}

/** A YAML scalar; quoted unless it is plainly a word. JSON's strings are YAML's. */
function scalar(value: string): string {
  return /^[A-Za-z_][\w.%/-]*$/.test(value) && !/^(null|true|false|yes|no|on|off|y|n)$/i.test(value)
    ? value
    : clean(JSON.stringify(value));
}

/** Sentences about what was left alone, a few relations each. */
export function skippedLines(answer: JsonObject): string[] {
  const reasons = new Map<string, string[]>();
  for (const one of list(answer['skipped']).map(object)) {
    const reason = text(one['why']);
    reasons.set(reason, [...(reasons.get(reason) ?? []), text(one['relation'])]);
  }
  return [...reasons].map(([reason, relations]) => {
    const more = relations.length > 5 ? ` and ${relations.length - 5} more` : '';
    return clean(`not looked into (${reason}): ${relations.slice(0, 5).join(', ')}${more}`);
  });
}
