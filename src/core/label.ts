/** A classification on a target or resource: lower-case words joined by dots, e.g. `pii.email`, `secret`, `prod`. */
export type Label = string;

const LABEL_PATTERN = /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*$/;

export function isLabel(text: string): boolean {
  return text.length <= 64 && LABEL_PATTERN.test(text);
}

/** `pii.email` is covered by `pii.email` and by `pii`. */
export function labelAncestors(label: Label): Label[] {
  const parts = label.split('.');
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}
