import { type Person, people } from './people.ts';

/** The few pages that a person, or a script that posts their forms, walks through. */

export function choosePage(uid: string): string {
  const buttons = people.map(
    (person) => `<p><button name="person" value="${person.id}">${person.name}</button> ${describe(person)}</p>`,
  );
  return page(
    'Who are you?',
    `<form method="post" action="/interaction/${encodeURIComponent(uid)}">${buttons.join('')}</form>`,
  );
}

export function codePage(form: string): string {
  return page('Connect a device', `${form}<button type="submit" form="op.deviceInputForm">Continue</button>`);
}

export function confirmPage(form: string, userCode: string): string {
  const buttons = `<button type="submit" form="op.deviceConfirmForm">Yes, that is my code</button>
    <button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">No</button>`;
  return page('Is this the code on your device?', `<p><code>${escapeHtml(userCode)}</code></p>${form}${buttons}`);
}

export function donePage(): string {
  return page('Done', '<p>You are logged in. This page may be closed.</p>');
}

export function errorPage(problem: string): string {
  return page('That did not work', `<p>${escapeHtml(problem)}</p>`);
}

function describe(person: Person): string {
  return `${person.email} (${person.groups.join(', ')})`;
}

function page(title: string, content: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<style>body{font:16px/1.5 system-ui;margin:4rem auto;max-width:32rem}small{color:#666}</style>
<h1>${title}</h1>${content}<p><small>Development identity provider: no passwords, this machine only.</small></p></html>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
