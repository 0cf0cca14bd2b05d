import { type Link, type Links, linksTo } from './links.ts';
import type { Notice } from './notice.ts';
import { clip, line, lines } from './text.ts';
import { about, answersOf, headline } from './words.ts';

/** Block Kit (docs.slack.dev/block-kit), as far as it is used here. */
export type Block = { readonly type: string; readonly [key: string]: unknown };

export interface SlackMessage {
  /** For notifications and readers of screens. */
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** What a button says it is about; the name of the one that only opens a page is known to be ignored. */
export const ACTIONS = { approve: 'approve', deny: 'deny', open: 'open' } as const;

/** Slack refuses longer ones, or shows them behind "see more". */
const MOST_HEADER = 150;
const MOST_STATEMENT = 2_500;
/** What is longer Slack folds away, and its end with it. */
const MOST_LINES = 40;

/**
 * A notice as a message. Whatever came from elsewhere stands in elements that Slack takes for plain text, so that no
 * mention, link or format comes out of it. What is not shown whole cannot be approved from here.
 */
export function slackMessage(notice: Notice, links: Links): SlackMessage {
  const { effect, request } = notice;
  const place = linksTo(request.id, links);
  const statement = lines(effect.statement);
  const parameters = (effect.parameters ?? []).map((value, index) => `$${index + 1} = ${line(value)}`).join('\n');
  const isShort = statement.length <= MOST_STATEMENT && statement.split('\n').length <= MOST_LINES;
  const isWhole = effect.whole && isShort && parameters.length <= MOST_STATEMENT;
  const shown = [
    ...about(notice).map(([name, value]) => richSection([bold(`${name}: `), plain(value)])),
    preformatted(clip(statement, MOST_STATEMENT)),
    ...(parameters === '' ? [] : [preformatted(clip(parameters, MOST_STATEMENT))]),
    ...(isWhole
      ? []
      : [richSection([bold('Too long for here: open the request to see all of it before you answer.')])]),
    ...answersOf(notice).map((answer) => richSection([plain(answer)])),
    richSection([code(place.command)]),
  ];
  const isOpen = request.state === 'waiting' && notice.type !== 'approval.expired';
  return {
    text: escaped(headline(notice)),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: clip(headline(notice), MOST_HEADER - 24), emoji: false } },
      { type: 'rich_text', elements: shown },
      { type: 'actions', elements: buttons(request.id, place.url, { isOpen, isWhole }) },
    ],
  };
}

/** What only one person is to see, with a place to go. */
export function whisper(text: string, { url, command }: Link): SlackMessage {
  const elements = [
    richSection([
      plain(`${line(clip(text, 1_000))} `),
      { type: 'link', url, text: url },
      plain(', or '),
      code(command),
    ]),
  ];
  return { text: escaped(line(clip(text, 1_000))), blocks: [{ type: 'rich_text', elements }] };
}

/** "Characters that Slack treats as control characters": with these three gone there is no mention and no link. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const SURE = {
  title: { type: 'plain_text', text: 'Approve?' },
  text: { type: 'plain_text', text: 'It runs once, as it is shown.' },
  confirm: { type: 'plain_text', text: 'Approve' },
  deny: { type: 'plain_text', text: 'Not yet' },
};

function buttons(request: string, url: string, { isOpen, isWhole }: { isOpen: boolean; isWhole: boolean }): Block[] {
  const button = (action: string, label: string, more: object): Block => ({
    type: 'button',
    action_id: action,
    text: { type: 'plain_text', text: label, emoji: false },
    ...more,
  });
  return [
    ...(isOpen && isWhole
      ? [button(ACTIONS.approve, 'Approve', { style: 'primary', value: request, confirm: SURE })]
      : []),
    ...(isOpen ? [button(ACTIONS.deny, 'Deny', { style: 'danger', value: request })] : []),
    button(ACTIONS.open, 'Open', { url }),
  ];
}

function richSection(elements: readonly Block[]): Block {
  return { type: 'rich_text_section', elements };
}

function preformatted(text: string): Block {
  return { type: 'rich_text_preformatted', elements: [plain(text)] };
}

function plain(text: string): Block {
  return { type: 'text', text };
}

function code(text: string): Block {
  return { type: 'text', text, style: { code: true } };
}

function bold(text: string): Block {
  return { type: 'text', text, style: { bold: true } };
}
