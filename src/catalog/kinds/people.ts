import { type Kind, list } from './kind.ts';

/** What tells who somebody is: personal data of the GDPR, identifiers of HIPAA. */
export const PEOPLE: readonly Kind[] = [
  {
    label: 'pii.email',
    mask: 'email',
    detectors: ['email'],
    names: list('email, e mail, email address, mail address'),
    among: ['mail'],
    columns: list('*email, *Email, *e_mail, *email_address, *emailAddress'),
  },
  {
    label: 'pii.phone',
    mask: 'partial',
    detectors: ['phone'],
    names: list('phone, phone number, telephone, mobile, cellphone, msisdn, fax, tel'),
    among: ['cell'],
    types: ['number'],
    columns: list('*phone, *Phone, *phone_number, *phoneNumber, *mobile, msisdn, fax, tel'),
  },
  {
    label: 'pii.name',
    mask: 'redact',
    names: list(
      'first name, last name, middle name, full name, given name, family name, maiden name, surname, forename, fname, lname',
    ),
    among: ['name', 'display name'],
    columns: list(
      '*first_name, *last_name, *full_name, *given_name, *family_name, *maiden_name, *surname, *firstName, *lastName, *fullName',
    ),
  },
  {
    label: 'pii.address',
    mask: 'redact',
    names: list('address, addr, street, postal address, home address, address line, place of birth, birth place'),
    among: ['city', 'zip'],
    columns: list('address, address_line*, street, *street_address, *postal_address, *home_address'),
  },
  {
    label: 'pii.postcode',
    mask: 'redact',
    names: list('postcode, post code, postal code, zip code, plz'),
    types: ['number'],
    columns: list('*postcode, *postal_code, *postalCode, zip_code, zipCode, plz'),
  },
  {
    label: 'pii.born',
    mask: 'date',
    names: list('dob, date of birth, birth date, birthday, birthdate, birth day, born, birth'),
    types: ['date', 'number'],
    columns: list('dob, *_dob, *date_of_birth, *dateOfBirth, *birth_date, *birthdate, *birthDate, *birthday, born'),
  },
  {
    label: 'pii.ssn',
    mask: 'redact',
    detectors: ['ssn'],
    names: list('ssn, social security, social security number, itin, ssn last4'),
    types: ['number'],
    columns: list('*ssn, *social_security*, *socialSecurity*, itin'),
  },
  {
    label: 'pii.national_id',
    mask: 'redact',
    detectors: ['nino'],
    names: list(
      'nino, national insurance, national id, nhs number, tax id, tax number, identity card, driver license, ' +
        'drivers license, driver licence, driving licence, driver license number, driving licence number',
    ),
    types: ['number'],
    columns: list(
      'nino, *national_insurance*, *national_id, *nationalId, *tax_id, *taxId, *nhs_number, *driver*licen*',
    ),
  },
  {
    label: 'pii.passport',
    mask: 'redact',
    detectors: ['passport'],
    names: list('passport, passport number, passport no, mrz'),
    types: ['number'],
    columns: list('*passport, *passport_no, *passport_number, *passportNumber, mrz'),
  },
  {
    label: 'pii.bank_account',
    mask: 'partial',
    detectors: ['iban'],
    names: list('iban, bank account, account number, account no, routing number, sort code'),
    types: ['number'],
    columns: list('*iban, *bank_account, *bankAccount, *account_number, *accountNumber, *routing_number, *sort_code'),
  },
  {
    label: 'pii.ip',
    mask: 'redact',
    detectors: ['ip'],
    names: list('ip, ip address, ip addr, ipv4, ipv6, remote addr, remote ip, client ip, last ip'),
    types: ['network'],
    columns: list('ip, *_ip, *ip_address, *ipAddress, *ip_addr, remote_addr'),
  },
  {
    label: 'pii.location',
    mask: 'redact',
    names: list('latitude, longitude, geolocation, gps'),
    among: list('lat, lng, lon'),
    types: ['number'],
    columns: list('latitude, longitude, *geolocation'),
  },
  {
    label: 'pii.device',
    mask: 'redact',
    names: list(
      'imei, mac address, device id, device serial, license plate, licence plate, number plate, vin, advertising id',
    ),
    types: ['network', 'number'],
    columns: list('imei, *mac_address, *device_id, *deviceId, *device_serial, *license_plate, *licence_plate, vin'),
  },
  {
    // GDPR, article 9.
    label: 'pii.special',
    mask: 'redact',
    names: list(
      'religion, ethnicity, ethnic origin, race, sexual orientation, political, trade union, union member, biometric, fingerprint',
    ),
    among: list('gender, sex, nationality, disability'),
    columns: list('religion, ethnicity, *ethnic_origin, *sexual_orientation, *trade_union, *biometric'),
  },
];
