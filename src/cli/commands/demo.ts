import type { Command } from 'commander';

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('Play the whole story on this machine: a person, a CI job, a helper, and a database between them.')
    .option('--once', 'play it unattended, check every step, exit 0 or 1')
    .addHelpText(
      'after',
      '\nNeeds nothing else: a database, an identity provider and a gateway are started and stopped again.\n',
    )
    .action(async (options: { once?: boolean }) => {
      const { demo } = await import('../demo.ts');
      process.exitCode = await demo({ once: options.once === true });
    });
}
