import type { Answer, ApprovalRequest, ApprovalRule, ApprovalStep } from '../core/approval.ts';
import type { PrincipalId } from '../core/principal.ts';

/*
 * Who may answer, and when the answers suffice. A step is a number of seats; a person takes one seat of a rule at
 * most, so that whoever is in two groups does not count twice. Nobody of the chain takes a seat, with the one exception
 * a rule may choose: the root user who confirms.
 */

export interface Person {
  readonly id: PrincipalId;
  readonly groups: readonly string[];
}

type Seat = (person: Person) => boolean;

/** What the answers make of a request. One denial by somebody who may answer is enough. */
export function tally(request: ApprovalRequest, answers: readonly Answer[]): 'waiting' | 'approved' | 'denied' {
  if (answers.some((answer) => answer.verdict === 'deny')) return 'denied';
  if (answers.some((answer) => answer.verdict === 'break-glass')) return 'approved';
  const isGranted = (rule: ApprovalRule): boolean => {
    const people = answers
      .filter(({ by, at }) => maySit(request, rule, by, at))
      .map(({ by, at }) => ({ person: by, at }));
    return fill(seatsOf(request, rule), people);
  };
  return request.rules.every(isGranted) ? 'approved' : 'waiting';
}

/** The names of the rules that this person has a seat in, at this time. */
export function rulesFor(request: ApprovalRequest, person: Person, now: number): readonly string[] {
  return request.rules.filter((rule) => maySit(request, rule, person, now)).map(({ name }) => name);
}

export function mayBreakGlass({ rules }: ApprovalRequest, person: Person): boolean {
  return rules.every((rule) => rule.breakGlass.includes(person.id));
}

export function isAsker({ asker }: ApprovalRequest, person: Person): boolean {
  return asker.principal.id === person.id || asker.agents.some((agent) => agent.id === person.id);
}

function maySit(request: ApprovalRequest, rule: ApprovalRule, person: Person, at: number): boolean {
  return seatsOf(request, rule).some((seat) => seat({ ...person, at }));
}

type Sitter = Person & { readonly at: number };

function seatsOf(request: ApprovalRequest, rule: ApprovalRule): readonly ((person: Sitter) => boolean)[] {
  const outside =
    (seat: Seat) =>
    (person: Sitter): boolean =>
      !isAsker(request, person) && (seat(person) || escalated(request, rule, person));
  const confirming = (person: Sitter): boolean =>
    request.asker.agents.length > 0 && person.id === request.asker.principal.id;
  const { manager } = request.asker.principal;
  const seats = rule.steps.flatMap((step) => seatsOfStep(step, manager)).map(outside);
  return rule.confirm === undefined ? seats : [...seats, confirming];
}

function seatsOfStep({ groups, people, manager, need }: ApprovalStep, managedBy: PrincipalId | undefined): Seat[] {
  const isManager: Seat = (person) => person.id === managedBy;
  const isOneOf: Seat = (person) =>
    people.includes(person.id) ||
    (manager && isManager(person)) ||
    groups.some((group) => person.groups.includes(group));
  if (need !== 'all') return Array.from({ length: need }, () => isOneOf);
  return [
    ...people.map(
      (id): Seat =>
        (person) =>
          person.id === id,
    ),
    ...(manager ? [isManager] : []),
    ...groups.map(
      (group): Seat =>
        (person) =>
          person.groups.includes(group),
    ),
  ];
}

function escalated({ createdAt }: ApprovalRequest, { escalate }: ApprovalRule, person: Sitter): boolean {
  if (escalate === undefined || person.at - createdAt < escalate.after * 1000) return false;
  return escalate.groups.some((group) => person.groups.includes(group));
}

/** Whether every seat can be given to another person (a matching, by augmenting paths). A rule without seats is never granted. */
function fill(
  seats: readonly ((person: Sitter) => boolean)[],
  people: readonly { readonly person: Person; readonly at: number }[],
): boolean {
  if (seats.length === 0) return false;
  const sitters = people.map(({ person, at }): Sitter => ({ ...person, at }));
  const taken = new Map<number, number>();
  const place = (seat: number, tried: Set<number>): boolean => {
    for (const [index, sitter] of sitters.entries()) {
      if (tried.has(index) || !seats[seat]?.(sitter)) continue;
      tried.add(index);
      const holder = taken.get(index);
      if (holder !== undefined && !place(holder, tried)) continue;
      taken.set(index, seat);
      return true;
    }
    return false;
  };
  return seats.every((_, seat) => place(seat, new Set()));
}
