import { readAction } from '../../approvals/notify/slack-action.ts';
import { SIGNATURE_LASTS } from '../../approvals/notify/slack-signature.ts';
import { Fault } from '../../core/fault.ts';
import { isOAuthError } from '../../identity/oauth-error.ts';
import { readForm } from '../form.ts';
import { HttpProblem } from '../http-problem.ts';
import type { Routes } from '../routes.ts';
import { answerFrom, linkOf, onlyOnce } from '../slack.ts';

const FORM = 'application/x-www-form-urlencoded';
const MOST = 256 * 1024;

/** What people press in Slack. The only caller is Slack, and what proves it is its signature. */
export function slackRoutes({ app, ports, origin }: Routes): void {
  app.register(async (inner) => {
    // The signature is over bytes: they are kept as they came.
    inner.removeContentTypeParser(FORM);
    inner.addContentTypeParser(FORM, { parseAs: 'buffer', bodyLimit: MOST }, (_request, body, done) =>
      done(null, body),
    );

    inner.post('/v1/slack/interactive', { bodyLimit: MOST }, async (request, reply) => {
      const { body } = request;
      if (!Buffer.isBuffer(body)) throw new HttpProblem(415, 'PROTOCOL_MALFORMED', `the body must be ${FORM}`);
      const timestamp = String(request.headers['x-slack-request-timestamp'] ?? '');
      const signature = String(request.headers['x-slack-signature'] ?? '');
      const workspace = await ports.slack({ timestamp, signature, body });
      if (workspace === undefined) {
        throw new HttpProblem(401, 'LOGIN_FAILED', 'not signed by an app of Slack that is known here, or too long ago');
      }
      const until = Number(timestamp) * 1000 + 2 * SIGNATURE_LASTS;
      await onlyOnce([`signature ${signature}`], until, ports);
      const form = readForm(body.toString('utf8'));
      const payload = isOAuthError(form) ? null : form.get('payload');
      if (payload === null) throw new Fault('PROTOCOL_MALFORMED', 'not an action of Slack: it has no payload');
      const action = readAction(payload);
      if (action !== undefined) {
        await onlyOnce([`trigger ${action.trigger}`], until, ports);
        const told = await answerFrom({ action, workspace, origin: origin(request) }, ports).catch(
          (thrown: unknown) => {
            void workspace.whisper(
              action,
              'Your answer could not be kept; press again, or answer there:',
              linkOf(action.request, ports),
            );
            throw thrown;
          },
        );
        if (told !== undefined) void workspace.whisper(action, told, linkOf(action.request, ports));
      }
      return reply.code(200).send();
    });
  });
}
