import { type Links, linksTo } from './links.ts';
import type { Notice } from './notice.ts';
import { clip, line, lines } from './text.ts';
import { about, answersOf, headline } from './words.ts';

export interface Mail {
  readonly subject: string;
  readonly text: string;
}

/** A notice as plain text. */
export function mailOf(notice: Notice, links: Links): Mail {
  const { effect, request } = notice;
  const { url, command } = linksTo(request.id, links);
  const parameters = (effect.parameters ?? []).map((value, index) => `$${index + 1} = ${line(value)}`);
  const cut = effect.whole ? [] : ['(cut: see the rest before you answer)'];
  const answers = answersOf(notice);
  const parts = [
    [`${headline(notice)}.`],
    about(notice).map(([name, value]) => `${`${name}:`.padEnd(11)}${value}`),
    [quoted(effect.statement), ...parameters.map((each) => `    ${each}`), ...cut],
    answers,
    request.state === 'waiting' ? [`To answer: ${url}`, `or:        ${command}`] : [url],
    [`Request ${request.id}, ${request.state}.`],
  ];
  return {
    subject: clip(`[sallyport] ${headline(notice)}`, 200),
    text: `${parts
      .filter((part) => part.length > 0)
      .map((part) => part.join('\n'))
      .join('\n\n')}\n`,
  };
}

/** Indented, so that no line of a statement can be taken for one of ours. */
function quoted(statement: string): string {
  return lines(statement)
    .split('\n')
    .map((each) => `    ${each}`)
    .join('\n');
}
