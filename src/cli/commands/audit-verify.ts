import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ChainReport, VerifyReport } from '../../audit/verify.ts';
import { asFault } from '../../core/fault.ts';
import { Failure } from '../failure.ts';
import { configPath, readConfig } from '../gateway.ts';
import { jsonOption } from '../options.ts';
import { clean, note, plainTable, print, printJson, style } from '../output.ts';

interface VerifyOptions {
  readonly config?: string;
  readonly data?: string;
  readonly key?: string;
  readonly json?: boolean;
}

export function addVerify(audit: Command): void {
  jsonOption(audit.command('verify'))
    .description('Check every link and signature of the evidence on disk, and name the first that is broken.')
    .option('-c, --config <file>', 'configuration file (default: ./sallyport.yaml)')
    .option('--data <folder>', 'the data folder, where there is no configuration')
    .option('--key <file>', 'public key of the checkpoints (default: keys/evidence.pub in the data folder)')
    .addHelpText(
      'after',
      `
Needs no running gateway, and no secret. Whoever can write to the data folder can also replace the public key there:
keep a copy of it elsewhere and give it with --key.

Exit code 0: everything verifies. 1: something does not.
`,
    )
    .action(verify);
}

async function verify(options: VerifyOptions): Promise<void> {
  const data = options.data ?? (await dataFolder(options));
  const { verifyEvidence } = await import('../../audit/verify.ts');
  let report: VerifyReport;
  try {
    report = await verifyEvidence(join(data, 'evidence'), {
      publicKey: readKey(options.key ?? join(data, 'keys', 'evidence.pub')),
    });
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw new Failure(`the evidence in ${data} cannot be verified: ${asFault(thrown).message}`);
  }
  // Evidence that is not there does not verify.
  if (report.chains.length === 0) throw new Failure(`there is no evidence in ${data}`);
  process.exitCode = report.ok ? 0 : 1;
  if (options.json) return printJson(report);
  if (report.chains.length > 0) {
    print(plainTable(['WRITER', 'SEGMENTS', 'RECORDS', 'SIGNED TO', 'LAST', 'HEAD'], report.chains.map(row)));
    print('');
  }
  for (const { file, at, after, what } of report.problems) {
    const where = at === undefined ? '' : `:${at}`;
    print(
      `${style.red('broken')} ${clean(`${file}${where}: ${what}`)} ${style.dim(`(verifies up to record ${after})`)}`,
    );
  }
  const signed = report.signedAt === undefined ? 'no checkpoint yet' : `last checkpoint ${report.signedAt}`;
  note(
    `${report.ok ? style.green('Everything verifies') : style.red('The evidence does not verify')}: ${report.checkpoints} checkpoints, ${signed}.`,
  );
}

function row(chain: ChainReport): string[] {
  const { writer, segments, records, signed, lastAt, head } = chain;
  const last = lastAt === undefined ? '' : new Date(lastAt).toISOString();
  return [writer, String(segments), String(records), String(signed), last, head.slice(0, 12)];
}

function readKey(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new Failure(`the public key ${path} cannot be read`, {
      hint: 'Has the gateway run here? Else name the key with --key.',
    });
  }
}

async function dataFolder(options: { config?: string }): Promise<string> {
  const path = configPath(options);
  const loaded = await readConfig(path);
  if (loaded.ok) return loaded.config.data;
  throw new Failure(`${path} does not say where the data is`, { hint: 'Use --data FOLDER, or see "sallyport check".' });
}
