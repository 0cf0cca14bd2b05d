import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { program } from './program.ts';

// What docs/reference says there is, is what there is. `npx vitest run --project unit src/cli/reference -u` writes cli.md.

const ROOT = join(import.meta.dirname, '..', '..');
const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
}

function pagesOf(command: Command, above: string): string[] {
  const name = `${above}${command.name()}`;
  const inner = command.commands.filter((each) => each.name() !== 'help');
  return [
    `## ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`,
    ...inner.flatMap((each) => pagesOf(each, `${name} `)),
  ];
}

const ABOUT = `# The command line

Written by a test from what \`--help\` says (\`src/cli/reference.test.ts\`).

Results go to standard output, everything about them to standard error, so that output can be piped; \`--json\` prints JSON. What
came from elsewhere is cleaned of control characters before a terminal sees it. Colour is off where \`NO_COLOR\` is set or nobody
looks at a terminal.

Exit codes: 0 done, 1 it did not work, 2 it was asked wrongly. \`explain\` says 3 for a hold and 4 for a denial, \`connect\` what
its client said.

A gateway is found in this order: \`--url\`; the local socket of the gateway whose \`sallyport.yaml\` is here (or named by
\`--config\` or \`SALLYPORT_CONFIG\`); \`SALLYPORT_URL\`; the login made last. Over the local socket the owner is the administrator, unless
\`SALLYPORT_PASS\` is set: then it is whoever the pass is for.
`;

describe('docs/reference', () => {
  it('has the command line as it is', async () => {
    const page = [ABOUT, ...pagesOf(program(), '')].join('\n');
    await expect(page).toMatchFileSnapshot(join(ROOT, 'docs', 'reference', 'cli.md'));
  });

  it.each(['root', 'target', 'identity', 'approvals', 'notify'])(
    'names every key of the configuration (%s)',
    (schema) => {
      const page = read('docs', 'reference', 'configuration.md');
      const keys = read('src', 'config', 'schema', `${schema}.ts`).matchAll(
        /^ +(?:.*[{ ])?([a-z_]+)\??: (?:Type\.|line\b)/gm,
      );
      const missing = [...keys]
        .map(([, key = '']) => key)
        .filter((key) => !new RegExp(`\`([a-z_]+\\.)*${key}[\`.]`).test(page));
      expect(missing).toEqual([]);
    },
  );

  it.each([
    ['events.md', 'evidence.ts', 'AuditType', 'audit events'],
    ['errors.md', 'fault.ts', 'FaultCode', 'fault codes'],
    ['errors.md', 'decision.ts', 'Reason', 'reasons'],
  ])('%s names everything in core/%s, %s', (page, file, type) => {
    const [, union = ''] = new RegExp(`type ${type} =([^;]*);`).exec(read('src', 'core', file)) ?? [];
    const words = [...union.matchAll(/\| '([^']+)'/g)].map(([, word = '']) => word);
    expect(words.length).toBeGreaterThan(5);
    const text = read('docs', 'reference', page);
    expect(words.filter((word) => !text.includes(`\`${word}\``))).toEqual([]);
  });

  it('names every action, resource and attribute that policies have', async () => {
    const { SCHEMA } = await import('../policy/schema.ts');
    const words = [
      ...[...SCHEMA.matchAll(/^action "([^"]+)"/gm)].map(([, word = '']) => word),
      ...[...SCHEMA.matchAll(/^entity (\w+)/gm)].map(([, word = '']) => word),
      ...[...SCHEMA.matchAll(/^ {2,}(\w+)\??: (?:String|Bool|Long|Set|ipaddr|datetime)/gm)].map(
        ([, word = '']) => word,
      ),
    ];
    const text = read('docs', 'reference', 'policies.md');
    expect(words.filter((word) => !new RegExp(`\`(\\w+\\.)*${word}\``).test(text))).toEqual([]);
  });
});
