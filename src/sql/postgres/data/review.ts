/**
 * What we think of PostgreSQL's own functions, reviewed for versions 14 to 18. `functions.ts` is this review applied to
 * the pg_proc of a real server (functions.test.ts does it, and writes it when told to). First matching rule wins; a
 * function that no rule names and that is not immutable stays unvetted and needs `execute`.
 */
export type FunctionClass =
  | 'free' // a value from values, or from the session itself: no use of anything
  | 'catalog' // tells about the database's structure or statistics of its use: `introspect`
  | 'lock' // can make others wait: `lock`
  | 'sequence-next' // moves a sequence
  | 'sequence-set'
  | 'setting' // set_config: exactly SET when its arguments are constants
  | 'opaque' // runs or reads what its text argument names
  | 'admin' // files, backends, replication, large objects, sources, statistics about values
  | 'unvetted';

interface Rule {
  readonly names: RegExp;
  readonly class: FunctionClass;
  readonly because: string;
}

export const RULES: readonly Rule[] = [
  // Text that becomes SQL, or that names a relation whose rows are returned.
  rule('opaque', 'runs its text argument', /^(query_to_xml|cursor_to_xml|ts_stat$|ts_rewrite$)/),
  rule('opaque', 'returns the rows of whatever relation its argument names', /^(table|schema|database)_to_xml/),
  rule('admin', 'follows row versions of a relation named by text', /^currtid/),

  // Sequences and settings have readers of their own.
  rule('sequence-next', 'moves a sequence', /^nextval$/),
  rule('sequence-set', 'moves a sequence', /^setval$/),
  rule('setting', 'SET by another name', /^set_config$/),
  rule('free', 'what this session itself drew from a sequence', /^(currval|lastval)$/),
  rule('lock', 'locks that other sessions wait for', /^pg_(try_)?advisory_/),

  // Files, the server as a process, other sessions.
  rule('admin', 'files of the server', /^pg_(read_|ls_|stat_file$|hba_file|ident_file|show_all_file|current_logfile$)/),
  rule('admin', 'large objects hold data that no label reaches', /^(lo_|loread$|lowrite$)/),
  rule('admin', 'other backends', /^pg_(cancel_backend|terminate_backend|log_backend|log_standby|reload_conf|rotate_)/),
  rule(
    'admin',
    'the server as a machine',
    /^pg_(config$|control_|get_loaded_modules|get_backend_memory|get_shmem|get_aios)/,
  ),
  rule(
    'admin',
    'write-ahead log, backup and standby control',
    /^pg_(backup_|start_backup|stop_backup|create_restore|promote$)/,
  ),
  rule(
    'admin',
    'write-ahead log, backup and standby control',
    /^pg_(switch_wal|wal_replay_(pause|resume)|wal_summary|available_wal)/,
  ),
  rule('admin', 'logical decoding shows every change', /^pg_(logical_|create_|copy_|drop_|sync_)/),
  rule('admin', 'replication', /^pg_(replication_|show_replication|get_replication_slots)/),
  rule('admin', 'only for pg_upgrade and tests', /^(binary_upgrade_|pg_nextoid$|pg_stop_making|pg_isolation_test)/),
  rule('admin', 'writes catalogs', /^pg_(import_system_collations|clear_|restore_|extension_config_dump)/),
  rule('admin', 'resets what monitoring sees', /^pg_stat_reset/),

  // Sources, texts of others, statistics that hold values.
  rule('admin', 'sources of functions', /^pg_get_function(def|_sqlbody)$/),
  rule(
    'admin',
    'texts of other sessions',
    /^pg_stat_get_(activity|backend_activity|backend_client_\w+|wal_senders|wal_receiver)$/,
  ),
  rule('admin', 'most common values of columns', /^pg_(mcv_list|ndistinct_|dependencies_|stats_ext)/),

  // Structure and numbers.
  rule('free', 'the session', /^pg_current_(snapshot|xact_id\w*)$/),
  rule('catalog', 'numbers about use', /^pg_(stat_get_|stat_have_)/),
  rule('catalog', 'definitions', /^pg_get_/),
  rule('catalog', 'visibility by search_path', /^pg_\w+_is_visible$/),
  rule('catalog', 'privileges', /^(has_\w+_privilege|pg_has_role|row_security_active|acldefault|aclexplode)$/),
  rule('catalog', 'descriptions', /^(col_description|obj_description|shobj_description|format_type|oidvectortypes)$/),
  rule('catalog', 'names of objects', /^(to_reg\w+|regclass|pg_describe_object|pg_identify_object\w*)$/),
  rule('catalog', 'sizes', /^pg_(database|indexes|relation|table|tablespace|total_relation)_size$/),
  rule('catalog', 'partitions', /^pg_partition_(tree|ancestors|root)$/),
  rule('catalog', 'locks and who waits', /^pg_(lock_status|blocking_pids|safe_snapshot_blocking_pids)$/),
  rule('catalog', 'properties', /^pg_\w+_(has_property|is_updatable|is_publishable|actual_version|filenode|filepath)$/),
  rule('catalog', 'what is installed', /^pg_(available_extension\w*|extension_update_paths|basetype|collation_for)$/),
  rule('catalog', 'settings', /^pg_(show_all_settings|settings_get_flags|timezone_\w+|options_to_table)$/),
  rule('catalog', 'this session', /^pg_(cursor|prepared_statement|prepared_xact|my_temp_schema|is_other_temp_schema)$/),
  rule(
    'catalog',
    'where things lie',
    /^pg_(tablespace_(databases|location)|filenode_relation|sequence_(parameters|last_value))$/,
  ),
  rule('catalog', 'positions in the log', /^pg_(current|last)_(wal|xact|committed)\w*$/),
  rule('catalog', 'times of transactions', /^pg_xact_(commit_timestamp\w*|status)$/),

  // Stable or volatile, and still only values from values or the session's own.
  rule(
    'free',
    'the session',
    /^(current_\w+|session_user|system_user|getpgusername|version|txid_\w+|inet_(client|server)_\w+)$/,
  ),
  rule(
    'free',
    'the session',
    /^pg_(backend_pid|client_encoding|is_in_recovery|trigger_depth|listening_channels|typeof)$/,
  ),
  rule(
    'free',
    'the session',
    /^pg_(conf_load_time|postmaster_start_time|jit_available|numa_available|notification_queue_usage)$/,
  ),
  rule(
    'free',
    'encodings',
    /^(getdatabaseencoding|pg_char_to_encoding|pg_encoding_to_char|convert|convert_from|convert_to)$/,
  ),
  rule('free', 'time', /^(now|(statement|transaction|clock)_timestamp|timeofday|pg_sleep\w*|mxid_age)$/),
  rule(
    'free',
    'time arithmetic and formats, by time zone or locale',
    /^(age|date|date_\w+|extract|time|timetz|timezone|timestamp|timestamptz)$/,
  ),
  rule('free', 'time arithmetic and formats, by time zone or locale', /^(timestamp|timestamptz|interval)_\w+$/),
  rule(
    'free',
    'time arithmetic and formats, by time zone or locale',
    /^(make_timestamptz|overlaps|in_range|to_(char|date|number|timestamp)|numeric|money)$/,
  ),
  rule(
    'free',
    'rows and arrays as text, JSON or records',
    /^(array_to_\w+|row_to_json|to_jsonb?|jsonb?_\w+|concat|concat_ws|format)$/,
  ),
  rule(
    'free',
    'rows and arrays as text, JSON or records',
    /^(quote_\w+|anytextcat|textanycat|length|xml|xml_is_well_formed)$/,
  ),
  rule(
    'free',
    'text search over the configuration in force',
    /^(\w*to_tsquery|to_tsvector|ts_(debug|headline|match_\w+|parse|token_type))$/,
  ),
  rule('free', 'text search over the configuration in force', /^get_current_ts_config$/),
  rule('free', 'enumerations and series', /^(enum_(first|last|range)|generate_series)$/),
  rule('free', 'how a value is stored', /^pg_column_(compression|size|toast_chunk_id)$/),
  rule('free', 'whether text would be a value', /^pg_input_(error_info|is_valid)$/),
  rule('free', 'chance', /^(random|random_normal|setseed|gen_random_uuid|uuidv4|uuidv7|array_(sample|shuffle))$/),
];

function rule(of: FunctionClass, because: string, names: RegExp): Rule {
  return { class: of, because, names };
}

/** One row of pg_proc, as far as the review looks. */
export interface Candidate {
  readonly name: string;
  /** provolatile of the most volatile overload: i, s or v. */
  readonly volatility: string;
  /** Every overload takes or gives what SQL cannot write (internal, triggers, handlers). */
  readonly internal: boolean;
}

/** Undefined for what SQL cannot call: a statement that tries does not resolve. */
export function review(candidate: Candidate): FunctionClass | undefined {
  if (candidate.internal) return undefined;
  const found = RULES.find((each) => each.names.test(candidate.name));
  if (found) return found.class;
  // An immutable built-in sees its arguments and nothing else.
  return candidate.volatility === 'i' ? 'free' : 'unvetted';
}
