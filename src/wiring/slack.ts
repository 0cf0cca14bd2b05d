import { whisperTo } from '../approvals/notify/slack.ts';
import { whisper } from '../approvals/notify/slack-message.ts';
import { isPlausible, isSigned } from '../approvals/notify/slack-signature.ts';
import type { SlackConfig } from '../config/notify.ts';
import type { ControlPorts, SlackWorkspace } from '../control/ports.ts';
import type { Log } from './log.ts';
import { type KeptSecrets, keepSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { systemClock } from './system.ts';
import type { Resolve } from './targets.ts';

export interface SlackDoorParts {
  readonly settings: () => Settings;
  readonly resolve: Resolve;
  readonly log: Log;
}

const WHISPER_WITHIN = 10_000;

/** Finds the configured app that a request was signed for. */
export function slackDoor({ settings, resolve, log }: SlackDoorParts): ControlPorts['slack'] {
  const secrets = keepSecrets(resolve, systemClock);
  return async (request) => {
    if (!isPlausible(request, systemClock.now())) return undefined;
    for (const app of settings().config.approvals.notify) {
      if (app.kind === 'slack' && isSigned(request, await secrets(app.signingSecret)))
        return workspace(app, secrets, log);
    }
    return undefined;
  };
}

function workspace(app: SlackConfig, secrets: KeptSecrets, log: Log): SlackWorkspace {
  const { name, people, url } = app;
  return {
    name,
    people,
    whisper: async (to, text, link) => {
      try {
        const message = whisper(text, link);
        const signal = AbortSignal.timeout(WHISPER_WITHIN);
        await whisperTo({ url, token: () => secrets(app.token) }, { ...to, message }, signal);
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown.message : String(thrown);
        log.warn('somebody in Slack could not be answered', { destination: name, error });
      }
    },
  };
}
