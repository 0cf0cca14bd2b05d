import { type Kind, list } from './kind.ts';

/** What tells how somebody is. */
export const HEALTH: readonly Kind[] = [
  {
    label: 'phi.mrn',
    mask: 'partial',
    names: list('mrn, medical record, medical record number, patient number'),
    types: ['number'],
    columns: list('mrn, *_mrn, *medical_record_number, *medicalRecordNumber, *patient_number'),
  },
  {
    label: 'phi.insurance',
    mask: 'partial',
    names: list(
      'insurance number, insurance id, insurance policy, subscriber id, health plan, beneficiary, medicare, medicaid, member number',
    ),
    types: ['number'],
    columns: list('*insurance_number, *insurance_id, *subscriber_id, *health_plan, *medicare, *medicaid, *beneficiary'),
  },
  {
    label: 'phi.diagnosis',
    mask: 'redact',
    names: list('diagnosis, diagnoses, icd, icd9, icd10, icd code, dx, snomed'),
    columns: list('*diagnosis*, *diagnoses*, *icd10*, *icd_code, dx, *snomed*'),
  },
  {
    label: 'phi.treatment',
    mask: 'redact',
    names: list(
      'treatment, medication, medications, prescription, prescriptions, dosage, procedure code, cpt code, ndc',
    ),
    columns: list(
      '*treatment, *medication, *medications, *prescription, *prescriptions, *dosage, *procedure_code, *cpt_code',
    ),
  },
  {
    label: 'phi.result',
    mask: 'redact',
    names: list(
      'lab result, test result, blood type, blood pressure, hba1c, allergy, allergies, medical history, clinical note, ' +
        'clinical notes, progress note, progress notes',
    ),
    types: ['number'],
    columns: list(
      '*lab_result, *test_result, *blood_type, *allergies, *medical_history, *clinical_note, *clinical_notes, *progress_note, *progress_notes',
    ),
  },
  {
    // 45 CFR 164.514(b)(2)(i)(C): the year may stay.
    label: 'phi.date',
    mask: 'date',
    names: list(
      'admission date, admitted, admitted at, discharge date, discharged, discharged at, date of death, death date, deceased at',
    ),
    types: ['date'],
    columns: list('*admission_date, *admitted_at, *discharge_date, *discharged_at, *date_of_death, *deceased_at'),
  },
];
