import type { Command } from 'commander';

/** Adds what every command that talks to a gateway takes. */
export function gatewayOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the gateway (default: the one of this folder, else SALLYPORT_URL, else the last login)')
    .option('--ca <file>', 'PEM of the authority that signed the gateway’s certificate')
    .option('-c, --config <file>', 'configuration file of a gateway on this machine (default: ./sallyport.yaml)');
}

export function jsonOption(command: Command): Command {
  return command.option('--json', 'print JSON');
}
