import { type Kind, list } from './kind.ts';

/** Payment cards: what PCI DSS calls account data. */
export const CARDS: readonly Kind[] = [
  {
    // PCI DSS 3.4.1: the last four digits may be shown.
    label: 'pci.pan',
    mask: 'partial',
    detectors: ['card'],
    names: list('card number, card no, card num, credit card, debit card, payment card, cc number, cc num, ccno, pan'),
    among: ['card'],
    types: ['number'],
    columns: list('pan, *card_number, *card_no, *cardNumber, cc_number, credit_card'),
  },
  {
    label: 'pci.holder',
    mask: 'redact',
    names: list('cardholder, card holder, name on card, card name'),
    columns: list('*cardholder*, *card_holder*, *cardHolder*, name_on_card'),
  },
  {
    label: 'pci.expiry',
    mask: 'redact',
    names: list('card expiry, card expiration, card exp, cc exp, exp month, exp year, expiry month, expiry year'),
    types: ['number', 'date'],
    columns: list('*card_exp*, *cardExp*, exp_month, exp_year'),
  },
  {
    // PCI DSS 3.3: not to be kept at all, once authorised.
    label: 'pci.sad.cvv',
    mask: 'null',
    names: list('cvv, cvv2, cvc, cvc2, csc, card security code, card verification'),
    types: ['number'],
    columns: list('*cvv*, *cvc, *cvc2, *card_security_code'),
  },
  {
    label: 'pci.sad.track',
    mask: 'null',
    names: list('track data, track1, track2, magstripe, mag stripe'),
    columns: list('*track_data, *track1, *track2, *magstripe*'),
  },
  {
    label: 'pci.sad.pin',
    mask: 'null',
    names: list('pin block, card pin, encrypted pin'),
    types: ['number'],
    columns: list('*pin_block, *card_pin'),
  },
];
