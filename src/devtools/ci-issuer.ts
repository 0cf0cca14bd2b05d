import type { Signer } from './signer.ts';

/** A job as the CI system knows it; what is left out gets the values of the shop's deploy job. */
export interface CiJob {
  readonly job?: string;
  readonly repository?: string;
  readonly repositoryId?: string;
  readonly ref?: string;
  readonly refProtected?: boolean;
  readonly event?: string;
  readonly environment?: string;
  readonly actor?: string;
  readonly audience?: string;
  /** Seconds. */
  readonly expiresIn?: number;
  /** Anything else, or instead: for tests that need a token with something wrong. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** What tokens are made for when a job does not say. */
export const CI_AUDIENCE = 'sallyport';

let run = 1000;

/** A token in the shape of GitHub Actions': the claims that providers there pin, under the same names. */
export function signJob(issuer: string, signer: Signer, job: CiJob): Promise<string> {
  const { repository = 'acme/shop', ref = 'refs/heads/main', environment } = job;
  const [owner = ''] = repository.split('/');
  const workflow = job.job ?? 'deploy';
  const now = Math.floor(Date.now() / 1000);
  const runId = `${++run}`;
  return signer.sign({
    iss: issuer,
    sub: `repo:${repository}:${environment === undefined ? `ref:${ref}` : `environment:${environment}`}`,
    aud: job.audience ?? CI_AUDIENCE,
    iat: now,
    nbf: now,
    exp: now + (job.expiresIn ?? 600),
    jti: `${runId}-${crypto.randomUUID()}`,
    repository,
    repository_id: job.repositoryId ?? '123456',
    repository_owner: owner,
    repository_owner_id: '77',
    ref,
    ref_protected: `${job.refProtected ?? ref === 'refs/heads/main'}`,
    ...(environment === undefined ? {} : { environment }),
    workflow,
    job_workflow_ref: `${repository}/.ci/${workflow}.yml@${ref}`,
    event_name: job.event ?? 'push',
    actor: job.actor ?? 'alice',
    actor_id: '42',
    run_id: runId,
    run_attempt: '1',
    runner_environment: 'self-hosted',
    ...job.claims,
  });
}

/** Reads the body of `POST /ci/token`; undefined for anything that is not a flat JSON object of known fields. */
export function readJob(body: string): CiJob | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body === '' ? '{}' : body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const job: Record<string, string> = {};
  for (const [field, content] of Object.entries(value)) {
    if (!FIELDS.has(field) || typeof content !== 'string') return undefined;
    job[field] = content;
  }
  return job;
}

const FIELDS: ReadonlySet<string> = new Set([
  'job',
  'repository',
  'repositoryId',
  'ref',
  'event',
  'environment',
  'actor',
  'audience',
]);
