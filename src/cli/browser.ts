import { spawn } from 'node:child_process';

/** Opens an address with whatever the desktop has for it; when there is nothing, nothing happens. */
export function openBrowser(url: string): void {
  // The address ends up on a command line: only what cannot be taken for anything else goes there.
  if (!/^https?:\/\/[!-~]+$/.test(url) || /["'`\\^|<>]/.test(url)) return;
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  if (command === undefined) return;
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};
