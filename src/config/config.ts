import type { ApprovalRule } from '../core/approval.ts';
import type { BudgetRule } from '../core/budget.ts';
import type { MaskStyle } from '../core/obligation.ts';
import type { RecordingRules, Target } from '../core/target.ts';
import type { NotifyConfig } from './notify.ts';

/**
 * What an operator wrote in `sallyport.yaml`, read whole: typed, defaulted, immutable, every name in it checked. This
 * room turns text into these values and says what is wrong with the text, all of it at once, with file, line and
 * column. It opens no secret (a secret stays a reference until the secrets room resolves it), opens no socket, and
 * decides nothing. A configuration with an error in it is no configuration: nothing is guessed or left out.
 */
export interface Config {
  /** Absolute path of the file, and of its folder: relative references start there. */
  readonly file: string;
  readonly directory: string;
  /** Absolute. Evidence, embedded store, keys. */
  readonly data: string;
  /** How clients reach this gateway, and its token issuer. An origin: no trailing slash. */
  readonly url: string;
  readonly node: string;
  readonly store: StoreConfig;
  readonly managed: 'files';
  /** What clients of the data plane may take up. */
  readonly limits: {
    readonly most: number;
    readonly perSource: number;
    readonly loginsPerSource: number;
    /** Milliseconds. */
    readonly loginTimeout: number;
  };
  readonly listen: { readonly https: Address; readonly postgres: Address; readonly health: Address };
  /** Undefined: a certificate is generated in the data folder. */
  readonly tls: { readonly certificate: SecretReference; readonly key: SecretReference } | undefined;
  readonly evidence: { readonly durability: 'process' | 'power' };
  /** Seconds that revocations may go unheard before sessions are ended; operations pause after two. */
  readonly feedGrace: number;
  readonly identity: { readonly providers: readonly ProviderConfig[] };
  readonly targets: readonly TargetConfig[];
  readonly detectors: readonly DetectorConfig[];
  readonly approvals: {
    /** Seconds that a client is kept waiting at most; 0: never. */
    readonly holdWait: number;
    readonly rules: readonly ApprovalRule[];
    readonly notify: readonly NotifyConfig[];
  };
  /** Absolute path of the folder of `*.cedar` files. */
  readonly policies: string;
}

/** Where a secret is, not what it is. `file` names are absolute. */
export interface SecretReference {
  readonly scheme: 'env' | 'file' | 'sealed';
  readonly name: string;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type StoreConfig =
  | { readonly kind: 'embedded' }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'reference'; readonly reference: SecretReference };

export type ProviderConfig = PeopleProvider | WorkloadProvider;

export interface PeopleProvider {
  readonly kind: 'people';
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly groupsClaim: string;
  readonly nameClaim: string;
  /** Absent: nobody's manager is known. */
  readonly managerClaim?: string;
}

export interface WorkloadProvider {
  readonly kind: 'workload';
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  /** Claims that must all be equal, as text. Never empty: an issuer alone says nothing about who asked it. */
  readonly match: Readonly<Record<string, string>>;
  /** What policies call its kind. */
  readonly agent: string;
  readonly rights: 'delegated' | 'own';
}

export interface TargetConfig {
  readonly name: string;
  readonly address: Target['address'];
  readonly tls: { readonly mode: Target['tls']['mode']; readonly ca: SecretReference | undefined };
  readonly database: string;
  readonly databases: readonly string[];
  readonly credential: { readonly user: string; readonly password: SecretReference | undefined };
  readonly roles: readonly string[];
  readonly labels: readonly string[];
  readonly mode: 'enforce' | 'observe';
  readonly recording: RecordingRules;
  readonly connections: { readonly most: number; readonly queue: number };
  /** Which sessions past the gateway are looked for: of everybody, of the roles it uses itself, or none. */
  readonly bypass: 'all' | 'shared' | 'off';
  readonly columns: readonly ColumnRule[];
  readonly detect: DetectConfig | undefined;
  readonly budgets: readonly BudgetRule[];
  /** Most rows of one result; undefined: no limit. */
  readonly rows: number | undefined;
}

/** Labels the columns whose names match. */
export interface ColumnRule {
  /** `schema.relation.column`, where `*` in a part stands for any characters. */
  readonly column: string;
  readonly label: string;
  readonly mask: MaskStyle;
  readonly constant?: string;
  /** Keys into a json or jsonb column: only what lies there is labelled. */
  readonly path?: readonly string[];
  /** What computing with the column gives whoever may not see it. Absent: source. */
  readonly derive?: 'source' | 'deny';
}

export type DetectAction = 'observe' | 'mask' | 'deny';

export interface DetectConfig {
  readonly detectors: readonly string[];
  readonly people: DetectAction;
  readonly agents: DetectAction;
}

/** An operator's own detector: an RE2 pattern. */
export interface DetectorConfig {
  readonly name: string;
  readonly pattern: string;
}
