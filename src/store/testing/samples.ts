import { createHash, randomBytes } from 'node:crypto';
import type { Grant } from '../../core/grant.ts';
import { newId } from '../../core/id.ts';
import type { PassVerifier } from '../../identity/ports.ts';
import { realClock } from './scratch.ts';

const random = { bytes: (length: number): Uint8Array => new Uint8Array(randomBytes(length)) };

export function freshId(): string {
  return newId(realClock, random);
}

export function aRoot(more: Partial<Grant> = {}): Grant {
  const id = freshId();
  const now = Date.now();
  return {
    id,
    parent: undefined,
    path: [id],
    principal: { kind: 'user', id: 'https://id.example|alice', name: 'alice@corp.example', groups: ['support'] },
    agent: undefined,
    caveats: {},
    createdAt: now,
    connectBy: now + 3_600_000,
    expires: now + 3_600_000,
    uses: undefined,
    delegable: true,
    maxDepth: 8,
    purpose: undefined,
    transaction: `tx-${id}`,
    login: { provider: 'corp', session: `sid-${id}` },
    ...more,
  };
}

export function aChild(parent: Grant, more: Partial<Grant> = {}): Grant {
  const id = freshId();
  return {
    ...parent,
    id,
    parent: parent.id,
    createdAt: parent.createdAt + 1,
    path: [...parent.path, id],
    agent: {
      id: `${parent.id}/helper`,
      name: 'helper',
      kind: 'tool',
      assurance: 'asserted',
      class: 'asserted',
      rights: 'delegated',
      groups: [],
    },
    caveats: { scopes: [{ target: 'shop', actions: ['select'] }] },
    uses: undefined,
    login: undefined,
    purpose: 'JIRA-1234',
    ...more,
  };
}

export function aVerifier(seed = 'secret'): PassVerifier {
  const digest = (text: string): Uint8Array =>
    new Uint8Array(
      createHash('sha256')
        .update(seed + text)
        .digest(),
    );
  return {
    sha256: digest('sha'),
    scram: { salt: digest('salt').slice(0, 16), iterations: 4096, storedKey: digest('a'), serverKey: digest('b') },
  };
}
