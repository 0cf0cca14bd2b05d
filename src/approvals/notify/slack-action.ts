import { Fault } from '../../core/fault.ts';
import { isId } from '../../core/id.ts';
import { ACTIONS } from './slack-message.ts';

/** Somebody pressed a button. */
export interface SlackAction {
  /** Of this use of the button; Slack gives each once. */
  readonly trigger: string;
  readonly user: string;
  readonly channel: string;
  readonly request: string;
  readonly verdict: 'approve' | 'deny';
}

/** Reads the `payload` of an interaction; undefined for one that asks nothing of us. Throws Fault PROTOCOL_MALFORMED. */
export function readAction(payload: string): SlackAction | undefined {
  const value = parsed(payload);
  if (value['type'] !== 'block_actions') return undefined;
  const [action, ...more] = listOf(value['actions']).map(objectOf);
  if (action === undefined || more.length > 0) throw malformed('one button is pressed at a time');
  const id = action['action_id'];
  if (id !== ACTIONS.approve && id !== ACTIONS.deny) return undefined;
  const request = textOf(action['value']);
  if (!isId(request)) throw malformed('a button that is about no request');
  const user = textOf(objectOf(value['user'])['id']);
  const channel = textOf(objectOf(value['channel'])['id']);
  const trigger = textOf(value['trigger_id']);
  if (user === '' || channel === '' || trigger === '') throw malformed('an action without a user, channel or trigger');
  return { trigger, user, channel, request, verdict: id };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    throw malformed('not JSON');
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' && value.length <= 256 ? value : '';
}

function malformed(what: string): Fault {
  return new Fault('PROTOCOL_MALFORMED', `not an action of Slack: ${what}`);
}
