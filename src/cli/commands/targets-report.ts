import type { Command } from 'commander';
import { parseSince } from '../duration.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { object } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { reportText } from '../report.ts';

interface ReportOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly since: string;
}

export function addReport(targets: Command): void {
  jsonOption(gatewayOptions(targets.command('report')))
    .argument('<target>', 'its name')
    .description('Say what was, or would have been, denied and held, and whether the target can be enforced.')
    .option('--since <time>', 'a span back from now, as in 7d, or a time, as in 2026-01-31T12:00:00Z', parseSince, '7d')
    .addHelpText(
      'after',
      `
Made from the audit log: normalised statements, no values. For each group it says which policy line would permit it, or
which approval rule would be asked. For administrators and auditors.
`,
    )
    .action(report);
}

async function report(name: string, { json, since, ...options }: ReportOptions): Promise<void> {
  const query = new URLSearchParams({ since: parseSince(since) });
  const gateway = await findGateway(options);
  const answer = object(await gateway.get(`/v1/targets/${encodeURIComponent(name)}/report?${query.toString()}`));
  if (json) return printJson(answer);
  print(reportText(answer));
}
