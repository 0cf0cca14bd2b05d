import { type Static, Type } from 'typebox';
import { toldFinding } from '../../catalog/bypass/judge.ts';
import type { AuditType, Json } from '../../core/evidence.ts';
import { asFault } from '../../core/fault.ts';
import { callerId, demand } from '../caller.ts';
import { notFound } from '../http-problem.ts';
import type { AdoptionPlan } from '../ports.ts';
import type { Routes } from '../routes.ts';

const params = Type.Object({ name: Type.String({ maxLength: 63 }) });
const body = Type.Object(
  {
    do: Type.Optional(Type.Enum(['adopt', 'undo', 'forget'])),
    /** Absent: nothing is changed, and the answer says what would be. */
    apply: Type.Optional(Type.Boolean()),
    end_others: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

const TYPES = {
  adopt: 'target.adopted',
  undo: 'target.adopt-undone',
  forget: 'target.adopt-forgotten',
} as const satisfies Record<string, AuditType>;

/** Takes over the password of a target's role, and gives it back. */
export function adoptionRoutes({ app, ports, caller }: Routes): void {
  app.post('/v1/targets/:name/adopt', { schema: { params, body } }, async (request) => {
    const who = await caller(request);
    demand(who, ['gateway-admin'], ports);
    const { name } = request.params as Static<typeof params>;
    const target = ports.config().targets.find((one) => one.name === name);
    if (target === undefined) throw notFound('target');
    const { do: doing = 'adopt', apply = false, end_others: endOthers = false } = request.body as Static<typeof body>;
    const plan = toldPlan(await ports.adoption.plan(name));
    if (!apply) return { plan };
    const by = callerId(who);
    const record = (stage: string, more: Readonly<Record<string, Json>> = {}): Promise<void> =>
      ports.evidence.audit({
        v: 1,
        type: TYPES[doing],
        at: new Date(ports.clock.now()).toISOString(),
        target: name,
        user: plan.user,
        address: plan.address,
        stage,
        ...more,
        by,
      });
    // Before anything is changed: a password that changed without a trace is worse than a trace without a change.
    await record('begins', doing === 'adopt' ? { from: plan.from, end_others: endOthers } : {});
    try {
      const done = await act(doing, name, by, endOthers);
      await record('done', done);
      return { plan, done };
    } catch (thrown) {
      const { code, message } = asFault(thrown);
      await record('failed', { code, message });
      throw thrown;
    }
  });

  async function act(
    doing: keyof typeof TYPES,
    name: string,
    by: string,
    endOthers: boolean,
  ): Promise<Readonly<Record<string, Json>>> {
    switch (doing) {
      case 'adopt': {
        const { oldStillWorks, ended } = await ports.adoption.adopt(name, by, { endOthers });
        return {
          old_still_works: oldStillWorks,
          ...(ended === undefined ? {} : { ended: ended.ended, not_ended: ended.problems }),
        };
      }
      case 'undo':
        return { outcome: await ports.adoption.undo(name, by) };
      case 'forget':
        return { forgotten: await ports.adoption.forget(name, by) };
    }
  }
}

function toldPlan({ from, configured, adopted, others, ...plan }: AdoptionPlan) {
  return {
    ...plan,
    from: from ?? null,
    configured: configured ?? null,
    adopted: adopted === undefined ? null : { ...adopted, at: new Date(adopted.at).toISOString() },
    others: 'unknown' in others ? others : { pooled: others.pooled, groups: others.groups.map(toldFinding) },
  };
}
