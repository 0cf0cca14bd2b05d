/** The staff of the small shop that the demo and the tests are about. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
}

const PEOPLE = {
  alice: { name: 'Alice Santos', groups: ['support'] },
  bob: { name: 'Bob Lindqvist', groups: ['dba', 'gateway-approvers'] },
  frida: { name: 'Frida Holm', groups: ['dba'] },
  carol: { name: 'Carol Mbeki', groups: ['contractors'] },
  dave: { name: 'Dave Okafor', groups: ['admins', 'sallyport-admins'] },
  erin: { name: 'Erin Kowalska', groups: ['auditors'] },
} as const;

export type PersonId = keyof typeof PEOPLE;

export const people: readonly Person[] = Object.entries(PEOPLE).map(([id, { name, groups }]) => ({
  id,
  name,
  email: `${id}@shop.example`,
  groups,
}));

export function personBy(id: string): Person | undefined {
  return people.find((person) => person.id === id);
}

/** What an ID token says about them besides `sub`. */
export function claimsOf(person: Person): Record<string, string | boolean | readonly string[]> {
  const { name, email, groups } = person;
  return { name, email, email_verified: true, groups };
}
