/**
 * Catalog relations that `introspect` covers: enough for psql's backslash commands, pg_dump -s, drivers, ORMs and GUIs.
 * What is not here is `admin`: pg_statistic and its views (values), pg_authid, pg_shadow and pg_user_mapping (secrets),
 * pg_largeobject (data), server files, replication, memory, and whatever a later version adds.
 */
export const RELATIONS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    'pg_catalog',
    words(`
      pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_available_extension_versions
      pg_available_extensions pg_cast pg_class pg_collation pg_constraint pg_conversion pg_cursors pg_database
      pg_db_role_setting pg_default_acl pg_depend pg_description pg_enum pg_event_trigger pg_extension
      pg_foreign_data_wrapper pg_foreign_server pg_foreign_table pg_group pg_index pg_indexes pg_inherits pg_init_privs
      pg_language pg_largeobject_metadata pg_locks pg_matviews pg_namespace pg_opclass pg_operator pg_opfamily
      pg_parameter_acl pg_partitioned_table pg_policies pg_policy pg_prepared_statements pg_proc pg_publication
      pg_publication_namespace pg_publication_rel pg_publication_tables pg_range pg_rewrite pg_roles pg_rules pg_seclabel
      pg_seclabels pg_sequence pg_sequences pg_settings pg_shdepend pg_shdescription pg_shseclabel pg_stat_activity
      pg_stat_all_indexes pg_stat_all_tables pg_stat_database pg_stat_sys_indexes pg_stat_sys_tables
      pg_stat_user_functions pg_stat_user_indexes pg_stat_user_tables pg_statio_all_indexes pg_statio_all_sequences
      pg_statio_all_tables pg_statio_user_indexes pg_statio_user_sequences pg_statio_user_tables pg_statistic_ext
      pg_stat_xact_user_tables pg_subscription pg_subscription_rel pg_tables pg_tablespace pg_timezone_abbrevs
      pg_timezone_names pg_transform pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template
      pg_type pg_user pg_user_mappings pg_views pg_wait_events`),
  ],
  [
    'information_schema',
    words(`
      administrable_role_authorizations applicable_roles attributes character_sets check_constraint_routine_usage
      check_constraints collation_character_set_applicability collations column_column_usage column_domain_usage
      column_options column_privileges column_udt_usage columns constraint_column_usage constraint_table_usage
      data_type_privileges domain_constraints domain_udt_usage domains element_types enabled_roles
      foreign_data_wrappers foreign_servers foreign_tables information_schema_catalog_name key_column_usage parameters
      referential_constraints role_column_grants role_routine_grants role_table_grants role_udt_grants
      role_usage_grants routine_column_usage routine_privileges routine_routine_usage routine_sequence_usage
      routine_table_usage routines schemata sequences sql_features sql_implementation_info sql_parts sql_sizing
      table_constraints table_privileges tables transforms triggered_update_columns triggers udt_privileges
      usage_privileges user_defined_types view_column_usage view_routine_usage view_table_usage views`),
  ],
]);

/** Columns of allowed relations that show sources, texts of others or secrets. Touching one is `admin`. */
const RESTRICTED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['pg_catalog.pg_proc', words('prosrc probin prosqlbody')],
  ['pg_catalog.pg_stat_activity', words('query application_name client_addr client_hostname client_port')],
  ['pg_catalog.pg_subscription', words('subconninfo')],
  ['pg_catalog.pg_user_mappings', words('umoptions')],
  ['information_schema.routines', words('routine_definition')],
  ['information_schema.column_options', words('option_value')],
]);

const NONE: ReadonlySet<string> = new Set();

export function restrictedColumns(schema: string, relation: string): ReadonlySet<string> {
  return RESTRICTED.get(`${schema}.${relation}`) ?? NONE;
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
