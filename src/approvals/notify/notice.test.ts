import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer, ApprovalRequest } from '../../core/approval.ts';
import { aRequest, aRule } from '../testing/samples.ts';
import { changeType, isStillDue, laterTypes, noticeOf } from './notice.ts';
import { clip, line, lines } from './text.ts';

const said = (verdict: Answer['verdict']): Answer => ({
  by: { id: 'https://id.example|bob', name: 'bob@corp.example', groups: ['dbas', 'secret-project'] },
  verdict,
  reason: 'fine',
  scope: 'once',
  at: 5,
});

describe('a change', () => {
  const before = aRequest();
  it.each<[string, ApprovalRequest, string | undefined]>([
    ['one of two answers', aRequest({ answers: [said('approve')] }), 'approval.answered'],
    ['the last answer', aRequest({ answers: [said('approve')], state: 'approved' }), 'approval.approved'],
    ['a denial', aRequest({ answers: [said('deny')], state: 'denied' }), 'approval.denied'],
    ['broken glass', aRequest({ answers: [said('break-glass')], state: 'approved' }), 'approval.glass-broken'],
    ['a withdrawal', aRequest({ state: 'withdrawn' }), 'approval.withdrawn'],
    ['a use', aRequest({ state: 'used', uses: 1 }), undefined],
    ['a review', aRequest({ reviewDue: false }), undefined],
  ])('is told: %s', (_name, after, type) => {
    expect(changeType(before, after)).toBe(type);
  });

  it('is told of a request that was made', () => {
    expect(changeType(undefined, before)).toBe('approval.made');
  });
});

describe('what is told later', () => {
  it('is the escalation of each rule, once where they are at the same time, and the end', () => {
    const rules = [60, 60, 120].map((after) => aRule({ escalate: { after, groups: [`after-${after}`] } }));
    const request = aRequest({ rules });
    expect(laterTypes(request).map(({ type, at }) => `${type} ${at - request.createdAt}`)).toEqual([
      'approval.escalated 60000',
      'approval.escalated 120000',
      'approval.expired 3600000',
    ]);
    const told = noticeOf('approval.escalated', request, request.createdAt + 60_000);
    expect(told.request.escalatedTo).toEqual(['after-60']);
  });

  it('is told only where it is still so', () => {
    expect(isStillDue('approval.escalated', aRequest())).toBe(true);
    expect(isStillDue('approval.escalated', aRequest({ state: 'approved' }))).toBe(false);
    expect(isStillDue('approval.expired', aRequest({ state: 'used' }))).toBe(false);
    expect(isStillDue('approval.expired', aRequest({ state: 'expired' }))).toBe(true);
    expect(isStillDue('approval.made', aRequest())).toBe(false);
  });
});

describe('a notice', () => {
  it('holds what an approver sees, and neither digests, grants, transactions nor groups', () => {
    const request = aRequest({ answers: [said('approve')], alike: 'a1ike' });
    const text = JSON.stringify(noticeOf('approval.answered', request, 1));
    for (const hidden of [request.digest, 'a1ike', `tx-${request.id}`, 'secret-project']) {
      expect(text).not.toContain(hidden);
    }
    expect(text).toContain('bob@corp.example');
  });

  it('says when it does not hold everything', () => {
    const { effect } = aRequest();
    const whole = (more: Partial<ApprovalRequest['effect']>): boolean =>
      noticeOf('approval.made', aRequest({ effect: { ...effect, ...more } }), 1).effect.whole;
    expect(whole({})).toBe(true);
    expect(whole({ statement: 'x'.repeat(8_192) })).toBe(true);
    expect(whole({ statement: 'x'.repeat(8_193) })).toBe(false);
    expect(whole({ parameters: ['x'.repeat(513)] })).toBe(false);
    expect(whole({ parameters: Array.from({ length: 33 }, () => 'x') })).toBe(false);
  });
});

describe('text from elsewhere', () => {
  it('cannot reorder, hide or move what stands around it', () => {
    expect(lines('a\u202Eb\u200Bc\u0007d\re')).toBe('a\\u202eb\\u200bc\\u0007d\\u000de');
    expect(lines('a\r\nb\tc')).toBe('a\nb\tc');
    expect(line('Subject\r\nBcc: eve@evil.example')).toBe('Subject Bcc: eve@evil.example');
    // Tag characters, which say something to a machine and nothing to a person.
    expect(lines('a\u{E0041}b')).toBe('a\\udb40\\udc41b');
    expect(lines('Zoë 😀 日本')).toBe('Zoë 😀 日本');
    expect(lines('\ud800x')).toBe('\\ud800x');
  });

  it('is one line where it is to be, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(line(text)).not.toMatch(/[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e]/);
        expect(line(text).isWellFormed()).toBe(true);
      }),
    );
  });

  it('is cut between characters, and says that it was', () => {
    expect(clip('abc', 3)).toBe('abc');
    expect(clip('abcd', 3)).toBe('abc … (4 characters)');
    expect(clip('ab😀', 3)).toBe('ab … (4 characters)');
  });
});
