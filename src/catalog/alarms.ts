import { literal } from './literal.ts';
import type { CatalogConnection } from './ports.ts';
import type { Row } from './rows.ts';

/**
 * What makes a role able to get around the gateway: what it may do is more than what statements say. Told, not acted
 * on: only the operator can give the target another role.
 */
export async function readAlarms(connection: CatalogConnection, roles: readonly string[]): Promise<string[]> {
  return (await connection.query(alarmsQuery(roles))).flatMap(alarmsOf);
}

function alarmsOf(row: Row): string[] {
  const role = `the role ${String(row['role'])}`;
  // A superuser may do all of the rest.
  if (row['superuser'] === true) return [`${role} is a superuser: use an ordinary one`];
  const found: string[] = [];
  if (row['bypass'] === true) found.push(`${role} has BYPASSRLS: row-level security does not hold for it`);
  for (const group of list(row['groups'])) found.push(`${role} is a member of ${group}: it reaches the server's files`);
  for (const schema of list(row['creates']))
    found.push(`${role} may create in ${schema} of its search path: what is made there can shadow what policy names`);
  return found;
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/**
 * The login's own role and those given. Their search path is the one a fresh session of the login has, "$user" being
 * each role's own name.
 */
function alarmsQuery(roles: readonly string[]): string {
  return `
  with path as (
    select coalesce((
      select substr(c, 13) from pg_catalog.pg_db_role_setting s
      join pg_catalog.pg_roles u on u.rolname = current_user
      cross join unnest(s.setconfig) c
      where c like 'search_path=%' and s.setrole in (0, u.oid)
        and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
      order by s.setrole <> 0 desc, s.setdatabase <> 0 desc limit 1), '"$user", public') as names),
  schemas as (
    select trim(both '"' from trim(part)) as name from path, string_to_table(path.names, ',') part)
  select r.rolname as role, r.rolsuper as superuser, r.rolbypassrls as bypass,
    (select json_agg(g.rolname order by g.rolname) from pg_catalog.pg_roles g
      where g.rolname in ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
        and pg_has_role(r.oid, g.oid, 'member')) as groups,
    (select json_agg(n.nspname order by n.nspname) from pg_catalog.pg_namespace n
      where n.nspname in (select case s.name when '$user' then r.rolname else s.name end from schemas s)
        and n.nspname !~ '^pg_' and has_schema_privilege(r.oid, n.oid, 'create')) as creates
  from pg_catalog.pg_roles r
  where r.rolname in (${['current_user', ...roles.map(literal)].join(', ')}) order by r.rolname`;
}
