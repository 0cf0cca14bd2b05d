import type { SettingChange } from '../../../core/facts.ts';

/**
 * Session settings by what changing them means. What is not here, custom settings (`app.tenant`, which row-level
 * security may trust) included, is `admin`.
 */
const FREE: ReadonlySet<string> = words(`
  array_nulls backslash_quote bytea_output check_function_bodies commit_delay constraint_exclusion
  cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost cursor_tuple_fraction datestyle deadlock_timeout
  default_statistics_target default_table_access_method default_tablespace default_text_search_config
  default_toast_compression default_transaction_deferrable default_transaction_isolation default_transaction_read_only
  effective_cache_size effective_io_concurrency enable_async_append enable_bitmapscan enable_distinct_reordering
  enable_gathermerge enable_group_by_reordering enable_hashagg enable_hashjoin enable_incremental_sort
  enable_indexonlyscan enable_indexscan enable_material enable_memoize enable_mergejoin enable_nestloop
  enable_parallel_append enable_parallel_hash enable_partition_pruning enable_partitionwise_aggregate
  enable_partitionwise_join enable_presorted_aggregate enable_self_join_elimination enable_seqscan enable_sort
  enable_tidscan escape_string_warning extra_float_digits from_collapse_limit geqo geqo_threshold
  gin_fuzzy_search_limit hash_mem_multiplier idle_in_transaction_session_timeout idle_session_timeout intervalstyle
  jit jit_above_cost jit_inline_above_cost jit_optimize_above_cost join_collapse_limit lc_monetary lc_numeric lc_time
  lock_timeout maintenance_work_mem max_parallel_maintenance_workers max_parallel_workers
  max_parallel_workers_per_gather min_parallel_index_scan_size min_parallel_table_scan_size parallel_leader_participation
  parallel_setup_cost parallel_tuple_cost plan_cache_mode quote_all_identifiers random_page_cost recursive_worktable_factor
  restrict_nonsystem_relation_kind row_security seed seq_page_cost statement_timeout synchronize_seqscans
  synchronous_commit temp_buffers temp_tablespaces timezone transaction_deferrable transaction_isolation
  transaction_read_only transaction_timeout work_mem xmlbinary xmloption`);

/** The parser reads as if these stood so; nobody may change them. */
const PINNED: ReadonlyMap<string, RegExp> = new Map([
  ['standard_conforming_strings', /^(on|true|yes|1)$/i],
  ['client_encoding', /^[^a-z0-9]*(utf[^a-z0-9]*8|unicode)[^a-z0-9]*$/i],
]);

const LEVELS = /^(info|notice|warning|error)$/i;

export function settingClass(name: string, value: string | undefined): SettingChange['class'] {
  const pinned = PINNED.get(name);
  if (pinned) return value !== undefined && pinned.test(value) ? 'pinned' : 'admin';
  // What the server says of its own inner workings is nobody's business here.
  if (name === 'client_min_messages') return value === undefined || LEVELS.test(value) ? 'free' : 'admin';
  if (name === 'search_path') return 'tracked';
  if (name === 'application_name') return 'swallowed';
  return FREE.has(name) ? 'free' : 'admin';
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
