import { describe, expect, it } from 'vitest';
import { isLabel } from '../../core/label.ts';
import { KINDS } from '../kinds/kinds.ts';
import { partPattern } from '../rules.ts';
import { kindByName, type TypeClass, wordsOf } from './names.ts';

const said = (column: string, relation = 'things', type: TypeClass = 'text'): string | undefined =>
  kindByName(column, relation, type)?.kind.label;

describe('a name', () => {
  it.each([
    ['email', 'pii.email'],
    ['e_mail', 'pii.email'],
    ['E-Mail', 'pii.email'],
    ['workEmail', 'pii.email'],
    ['EMAILADDRESS', 'pii.email'],
    ['emails', 'pii.email'],
    ['billing_email_2', 'pii.email'],
    ['phone', 'pii.phone'],
    ['homePhoneNumber', 'pii.phone'],
    ['dateOfBirth', 'pii.born'],
    ['dob', 'pii.born'],
    ['ssn', 'pii.ssn'],
    ['iban', 'pii.bank_account'],
    ['ip_address', 'pii.ip'],
    ['mailing_address', 'pii.address'],
    ['card_number', 'pci.pan'],
    ['ccNumber', 'pci.pan'],
    ['cvv', 'pci.sad.cvv'],
    ['password', 'secret'],
    ['passwordHash', 'secret'],
    ['stripe_api_key', 'secret'],
    ['apikey', 'secret'],
    ['refresh_token', 'secret'],
    ['mrn', 'phi.mrn'],
    ['primary_diagnosis', 'phi.diagnosis'],
    ['national_id', 'pii.national_id'],
  ])('%s says %s', (name, label) => {
    expect(said(name)).toBe(label);
  });

  it.each([
    'id',
    'title',
    'name',
    'status',
    'description',
    'created_at',
    'total',
    'colour',
    'company',
    'panel',
    'span',
    'secretary_desk',
    'tokenizer',
    'email_verified',
    'email_template',
    'is_email',
    'has_phone',
    'num_tokens',
    'token_count',
    'address_id',
    'password_changed_at',
    'phone_type',
    'key',
    'monkey',
    'ship_to',
    'zip',
    'recipe',
    'vintage',
    'telescope',
    'rating',
    'tracking',
    'accountant',
  ])('%s says nothing', (name) => {
    expect(said(name)).toBeUndefined();
  });

  it('may mean something in a table about people only', () => {
    expect(said('name', 'customers')).toBe('pii.name');
    expect(said('name', 'UserAccount')).toBe('pii.name');
    expect(said('name', 'products')).toBeUndefined();
    expect(kindByName('gender', 'patients', 'text')).toMatchObject({ among: true });
  });

  it('means nothing for a type that cannot hold it', () => {
    expect(said('dob', 'things', 'date')).toBe('pii.born');
    expect(said('email', 'things', 'date')).toBeUndefined();
    expect(said('tokens', 'things', 'number')).toBeUndefined();
    expect(said('phone', 'things', 'other')).toBeUndefined();
  });

  it('is the same words however it is spelled', () => {
    for (const name of ['date_of_birth', 'dateOfBirth', 'DateOfBirth', 'DATE_OF_BIRTH', 'date-of.birth']) {
      expect(wordsOf(name)).toEqual(['date', 'of', 'birth']);
    }
    expect(wordsOf('userIPAddress')).toEqual(['user', 'ip', 'address']);
  });
});

describe('the kinds', () => {
  it('have labels of their own, and each detector one kind', () => {
    const labels = KINDS.map(({ label }) => label);
    expect(labels.filter((label) => !isLabel(label))).toEqual([]);
    expect(new Set(labels).size).toBe(labels.length);
    const detectors = KINDS.flatMap((kind) => kind.detectors ?? []);
    expect(new Set(detectors).size).toBe(detectors.length);
  });

  it('have patterns whose names say the same kind', () => {
    const strange = KINDS.flatMap((kind) =>
      kind.columns
        .map((pattern) =>
          pattern
            .replace(/^\*(?=[a-z])/, '')
            .replace(/^\*_?/, '')
            .replaceAll('*', ''),
        )
        .filter((name) => said(name.replace(/^_/, '')) !== kind.label)
        .map((name) => `${kind.label} ${name}`),
    );
    expect(strange).toEqual(['pii.national_id driverlicen']);
  });

  it('have patterns that match no name in which nothing is', () => {
    const clean = [
      'id',
      'company_name',
      'product_name',
      'email_verified',
      'address_id',
      'shipping',
      'description',
      'span',
      'tokens',
      'rip',
      'zip_file',
    ];
    const patterns = KINDS.flatMap(({ columns }) => columns.map(partPattern));
    expect(clean.filter((name) => patterns.some((pattern) => pattern.test(name)))).toEqual([]);
  });
});
