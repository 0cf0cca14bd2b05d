import type { StatementFacts } from '../../core/facts.ts';
import { choose } from './calls.ts';
import { collect } from './collect.ts';
import { createIn, createTable } from './creating.ts';
import { namesInDrop } from './dropping.ts';
import { spend } from './effort.ts';
import type { Ledger } from './ledger.ts';
import { readQuery } from './query.ts';
import type { Relation } from './relation.ts';
import { stored } from './statement.ts';
import { bodyOf, listAt, namesOf, nodeOf, stringOf, type Tree, textAt, treeAt, type Value } from './tree.ts';

/**
 * Statements that change the catalog. Everything they name is asked about as `ddl`; what hands out rights or reaches
 * past the database is `admin`; what stores code to be run later by others is `opaque`; and so is what is not known.
 */
export function readDdl(tag: string, body: Tree, ledger: Ledger): StatementFacts {
  const { names } = ledger;
  ledger.ddl = true;
  ledger.barrier = true;
  if (ADMIN.has(tag) || takesRights(tag, body)) ledger.use('admin', names.database);
  else if (OPAQUE.has(tag)) ledger.use('opaque', names.database);
  else if (!KNOWN.has(tag)) ledger.use('opaque', names.database);

  if (MAINTENANCE.has(tag)) ledger.ddl = false;
  if (tag === 'DropStmt') {
    for (const range of namesInDrop(body)) dropped(range, ledger);
  } else if (tag === 'CreateSchemaStmt') {
    createIn(undefined, ledger);
  }
  if (textAt(body, 'behavior') === 'DROP_CASCADE') ledger.use('ddl', names.database);
  queries(body, ledger);
  const relations = namedRelations(tag, body, ledger);
  expressions(tag, body, relations, ledger);
  // Nothing named that is known: the database as a whole.
  if (ledger.empty) ledger.use('ddl', names.database);
  return ledger.facts();
}

const KNOWN = words(`
  CreateStmt CreateTableAsStmt ViewStmt AlterTableStmt RenameStmt DropStmt IndexStmt CreateSeqStmt AlterSeqStmt
  CreateSchemaStmt CommentStmt CreateStatsStmt AlterStatsStmt CreateEnumStmt AlterEnumStmt CompositeTypeStmt
  CreateDomainStmt AlterDomainStmt CreateRangeStmt AlterObjectSchemaStmt AlterTypeStmt RefreshMatViewStmt ReindexStmt
  ClusterStmt VacuumStmt`);

/** Rights, other databases, servers, files, roles, replication. */
const ADMIN = words(`
  GrantStmt GrantRoleStmt AlterDefaultPrivilegesStmt CreateRoleStmt AlterRoleStmt AlterRoleSetStmt DropRoleStmt
  DropOwnedStmt ReassignOwnedStmt AlterOwnerStmt CreatePolicyStmt AlterPolicyStmt SecLabelStmt CreateTableSpaceStmt
  DropTableSpaceStmt AlterTableSpaceOptionsStmt AlterTableMoveAllStmt CreateExtensionStmt AlterExtensionStmt
  AlterExtensionContentsStmt CreateFdwStmt AlterFdwStmt CreateForeignServerStmt AlterForeignServerStmt
  CreateForeignTableStmt CreateUserMappingStmt AlterUserMappingStmt DropUserMappingStmt ImportForeignSchemaStmt
  CreateAmStmt CreateEventTrigStmt AlterEventTrigStmt CreatePLangStmt LoadStmt CreatedbStmt DropdbStmt
  AlterDatabaseStmt AlterDatabaseSetStmt AlterDatabaseRefreshCollStmt AlterSystemStmt CheckPointStmt
  CreatePublicationStmt AlterPublicationStmt CreateSubscriptionStmt AlterSubscriptionStmt DropSubscriptionStmt
  CreateCastStmt CreateConversionStmt CreateTransformStmt AlterCollationStmt`);

/** Stores code, or changes how code that others run behaves. */
const OPAQUE = words(`
  CreateFunctionStmt AlterFunctionStmt CreateTrigStmt RuleStmt DefineStmt CreateOpClassStmt CreateOpFamilyStmt
  AlterOpFamilyStmt AlterOperatorStmt AlterTSDictionaryStmt AlterTSConfigurationStmt AlterObjectDependsStmt`);

/** Changes no name. */
const MAINTENANCE = words('VacuumStmt ReindexStmt ClusterStmt RefreshMatViewStmt');

const TAKING = words(`
  AT_ChangeOwner AT_EnableRowSecurity AT_DisableRowSecurity AT_ForceRowSecurity AT_NoForceRowSecurity AT_EnableRule
  AT_DisableRule AT_EnableAlwaysRule AT_EnableReplicaRule AT_EnableTrig AT_EnableAlwaysTrig AT_EnableReplicaTrig
  AT_DisableTrig AT_EnableTrigAll AT_DisableTrigAll AT_EnableTrigUser AT_DisableTrigUser`);

/** ALTER TABLE that changes owner, row-level security, rules or triggers; dropping or renaming what guards. */
function takesRights(tag: string, body: Tree): boolean {
  if (tag === 'AlterTableStmt') {
    return collect(body['cmds'], 'AlterTableCmd').some((command) => TAKING.has(textAt(command, 'subtype')));
  }
  if (tag === 'DropStmt' || tag === 'RenameStmt') {
    // Renaming a schema takes every table in it out of reach of rules that name it.
    if (tag === 'RenameStmt' && textAt(body, 'renameType') === 'OBJECT_SCHEMA') return true;
    return /POLICY|RULE|TRIGGER|ROLE|DATABASE|TABLESPACE|EXTENSION|FDW|FOREIGN_SERVER|PUBLICATION|SUBSCRIPTION|LANGUAGE|CAST/.test(
      textAt(body, tag === 'DropStmt' ? 'removeType' : 'renameType'),
    );
  }
  return tag === 'CreateSchemaStmt' && treeAt(body, 'authrole') !== undefined;
}

function dropped(range: Tree, ledger: Ledger): void {
  const relation = ledger.names.findRelation(range);
  if (relation) ledger.on('ddl', relation);
  else {
    const schema = textAt(range, 'schemaname');
    ledger.use('ddl', schema === '' ? ledger.names.database : ledger.names.schema(schema));
  }
}

/** Queries stored or run: of views, tables made from them, rules. CREATE SCHEMA holds whole statements. */
function queries(body: Tree, ledger: Ledger): void {
  const query = body['query'];
  if (query !== undefined && query !== null) {
    if (bodyOf(query, 'ExecuteStmt')) ledger.use('opaque', ledger.names.database);
    else stored(readQuery(query, { ledger, scope: undefined }), ledger);
  }
  for (const element of listAt(body, 'schemaElts')) {
    const { tag, body: inner } = nodeOf(element);
    readDdl(tag, inner, ledger);
  }
}

const MADE: ReadonlyMap<string, string> = new Map([
  ['CreateStmt', 'relation'],
  ['CreateSeqStmt', 'sequence'],
  ['ViewStmt', 'view'],
  ['CompositeTypeStmt', 'typevar'],
]);

/** Every relation named outside queries: changed, or the pattern or parent of a new one. */
function namedRelations(tag: string, body: Tree, ledger: Ledger): Relation[] {
  const into = treeAt(body, 'into');
  const made = into ? treeAt(into, 'rel') : treeAt(body, MADE.get(tag) ?? '');
  if (made && createTable(made, ledger) === 'temporary') ledger.ddl = false;
  madeByName(tag, body, ledger);
  const rest = { ...body, query: undefined, schemaElts: undefined, into: undefined };
  const fixed = ['relation', 'sequence', 'view'].map((field) => treeAt(body, field));
  const ranges = [...collect(rest, 'RangeVar'), ...fixed, ...untaggedRanges(body), ...commented(tag, body)];
  const found: Relation[] = [];
  for (const range of new Set(ranges.filter((each) => each !== undefined))) {
    if (range === made) continue;
    const relation = ledger.names.findRelation(range);
    if (relation) {
      found.push(relation);
      ledger.on('ddl', relation);
    } else if (textAt(range, 'relname') !== '') dropped(range, ledger);
  }
  // CREATE OR REPLACE VIEW changes the one that is there.
  const replaced = made && ledger.names.findRelation(made);
  if (replaced && tag === 'ViewStmt') ledger.on('ddl', replaced);
  return found;
}

/** Relations in fields of fixed type: parents of partitions, referenced tables, LIKE, VACUUM. */
function untaggedRanges(body: Tree): (Tree | undefined)[] {
  const places: (readonly [tag: string, field: string])[] = [
    ['Constraint', 'pktable'],
    ['TableLikeClause', 'relation'],
    ['PartitionCmd', 'name'],
    ['VacuumRelation', 'relation'],
  ];
  return places.flatMap(([tag, field]) => collect(body, tag).map((node) => treeAt(node, field)));
}

/** COMMENT names its object as DROP does; a column after its table. */
function commented(tag: string, body: Tree): Tree[] {
  if (tag !== 'CommentStmt') return [];
  return namesInDrop({ objects: [body['object'] ?? null], removeType: textAt(body, 'objtype') });
}

/** Types, domains and statistics have qualified names instead of ranges. */
function madeByName(tag: string, body: Tree, ledger: Ledger): void {
  const field = { CreateEnumStmt: 'typeName', CreateDomainStmt: 'domainname', CreateRangeStmt: 'typeName' }[tag];
  if (field === undefined) return;
  const path = namesOf(listAt(body, field));
  createIn(path.length > 1 ? path.at(-2) : ledger.names.creationSchema(), ledger);
}

/** Operators and functions in defaults, checks, indexes; columns they name. What hides or moves labelled columns counts too. */
function expressions(tag: string, body: Tree, relations: readonly Relation[], ledger: Ledger): void {
  if (OPAQUE.has(tag)) return; // code is not looked into
  const rest = { ...body, query: undefined, schemaElts: undefined };
  for (const call of collect(rest, 'FuncCall')) {
    const names = namesOf(listAt(call, 'funcname'));
    const choices = ledger.names.functions(names);
    if (choices.length === 0) ledger.use('opaque', ledger.names.database);
    choose(choices, [], { ledger });
  }
  for (const nested of collect(rest, 'SelectStmt')) {
    stored(readQuery({ SelectStmt: nested }, { ledger, scope: undefined }), ledger);
  }
  const mentioned = new Set([
    ...collect(rest, 'ColumnRef').flatMap((reference) => lastName(listAt(reference, 'fields')) ?? []),
    ...collect(rest, 'IndexElem').map((element) => textAt(element, 'name')),
    ...collect(rest, 'Constraint').flatMap(constrained),
    ...collect(rest, 'StatsElem').map((element) => textAt(element, 'name')),
    ...collect(rest, 'AlterTableCmd')
      .filter((command) => textAt(command, 'subtype') === 'AT_AlterColumnType')
      .map((command) => textAt(command, 'name')),
    ...(tag === 'RenameStmt' ? [textAt(body, 'subname')] : []),
  ]);
  const moved = MOVING.test(movement(tag, body));
  for (const relation of new Set(relations)) {
    spend(relation.columns.length);
    for (const column of relation.columns) {
      if (!mentioned.has(column.name) && !(moved && column.labels.length > 0)) continue;
      ledger.column(column, 'derive');
      ledger.column(column, 'filter');
    }
  }
}

/** Under another name, schema or parent, a label's rule may no longer find its columns. */
const MOVING =
  /RenameStmt (OBJECT_TABLE|OBJECT_VIEW|OBJECT_MATVIEW|OBJECT_FOREIGN_TABLE|OBJECT_SCHEMA)|AlterObjectSchemaStmt|AT_AddInherit|AT_AttachPartition|AT_DropInherit|AT_DetachPartition/;

function movement(tag: string, body: Tree): string {
  const commands = collect(body['cmds'], 'AlterTableCmd').map((command) => textAt(command, 'subtype'));
  return [tag, textAt(body, 'renameType'), ...commands].join(' ');
}

/** Columns that a constraint compares with other rows. */
function constrained(constraint: Tree): string[] {
  const keys = ['keys', 'fk_attrs', 'pk_attrs'].flatMap((field) => listAt(constraint, field));
  return keys.flatMap((key) => stringOf(key) ?? []);
}

function lastName(fields: readonly Value[]): string | undefined {
  return stringOf(fields.at(-1));
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
