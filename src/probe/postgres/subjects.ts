/**
 * Who and what facts are about: names of accounts, roles, tables and machines, and what a role is shown of a table.
 *
 * @module
 */
import { placesOf, type Constant } from "../../blast/index.ts";
import { matchesObject, parseObjectGlob, type TaskGrant } from "../../policy/index.ts";
import { readingOf, type FactBook } from "../database.ts";
import type { Answers } from "./asking.ts";
import type { Policy, Relation, Role, Routine } from "./questions.ts";

/** One database as one grant reaches it. */
export class Subjects {
  readonly answers: Answers;
  readonly grant: TaskGrant;
  /** `10.0.0.7:5432` */
  readonly place: string;
  /** What the machine is called where nobody asks it itself. */
  readonly host: string;
  readonly #principal: string;

  constructor(answers: Answers, grant: TaskGrant, principal: string) {
    this.answers = answers;
    this.grant = grant;
    this.place = placesOf(grant)[0] ?? "";
    this.host = grant.hosts[0] ?? "";
    this.#principal = principal;
  }

  /** `10.0.0.7:5432/shop` */
  get database(): string {
    return `${this.place}/${this.answers.identity.database}`;
  }

  /** The account that a role is; that of the credential is the grant's own. Those of whom nothing was told are one. */
  principalOf(role: Role): string {
    if (role === this.answers.me) return this.#principal;
    return this.isTold(role)
      ? `${this.database} role ${role.name}`
      : `${this.database} further roles`;
  }

  tableOf({ schema, table }: Relation): string {
    return `${this.database} ${schema}.${table}`;
  }

  /** As parentheses tell, no table. */
  routineOf({ schema, name }: Routine): string {
    return `${this.database} ${schema}.${name}()`;
  }

  roleOf(oid: string): Role | undefined {
    return this.answers.roles.find((one) => one.oid === oid);
  }

  /** The table as `role` sees it: where row security binds it, some of its rows. */
  seenBy(role: Role, relation: Relation): string {
    const table = this.tableOf(relation);
    return this.isBound(role, relation) ? `${table} (rows shown to ${role.name})` : table;
  }

  /** A column of its own, since a grant may hide it. */
  columnOf(relation: Relation, column: string): string {
    return `${this.tableOf(relation)}.${column}`;
  }

  /** What `verb` on `relation` is done to by `role`: its rows, and by reading its columns that hold secrets. */
  targetsOf(role: Role, relation: Relation, verb: string): readonly string[] {
    const { secrets } = readingOf(relation.table, relation.columns);
    const columns = verb === "select" ? secrets : [];
    return [this.seenBy(role, relation), ...columns.map((one) => this.columnOf(relation, one))];
  }

  /** Whether row security binds `role`. */
  isBound(role: Role, relation: Relation): boolean {
    if (!relation.hasRls || role.isSuper || role.bypassesRls) return false;
    return relation.isForced || !this.lettersOf(role, relation).includes("o");
  }

  /** Whether what `role` may do is known. */
  isTold(role: Role): boolean {
    return role.isSuper || this.answers.privileges.has(role.oid);
  }

  /** Whether `role` may read files of the machine; what was not told counts as yes. */
  reads(role: Role): boolean {
    return role.isSuper || !this.isTold(role) || role.predefined.includes("pg_read_server_files");
  }

  /** Says facts about what `role` may do: told by `what`, or assumed where it was not. */
  sayerOf(book: FactBook, role: Role, what: string) {
    const why = `what ${role.name} may do in ${this.database} was not told`;
    return (predicate: string, ...terms: readonly Constant[]): void =>
      this.isTold(role)
        ? book.told(what, predicate, ...terms)
        : book.assume(why, predicate, ...terms);
  }

  /** Letters of what `role` may do to `relation`, as the table itself has it. */
  lettersOf(role: Role, relation: Relation): string {
    if (role.isSuper || !this.isTold(role)) return "siudtgo";
    return this.answers.privileges.get(role.oid)?.get(relation.oid) ?? "";
  }

  /** Whether some policy shows `role` rows for `command` (`r`, `a`, `w`, `d`); no policy is no row. */
  hasPolicy(role: Role, relation: Relation, command: string): boolean {
    const { policies } = this.answers;
    return (
      policies.problem !== undefined ||
      policies.rows.some(
        ([oid, of, isPermissive, roles]) =>
          oid === relation.oid &&
          isPermissive &&
          (of === command || of === "*") &&
          this.#isFor(role, roles),
      )
    );
  }

  /** Of roles besides one's own it was not asked what they are members of: they may be of any. */
  #isFor(role: Role, roles: Policy[3]): boolean {
    if (role !== this.answers.me) return true;
    return roles.some((one) => one === "0" || this.roleOf(one)?.isHeld === true);
  }

  /** Whether `hide:` of the grant covers the column. */
  isHidden({ schema, table }: Relation, column: string): boolean {
    const { hide } = this.grant.with ?? {};
    if (!Array.isArray(hide)) return false;
    return hide.some(
      (one) =>
        typeof one === "string" &&
        matchesObject(parseObjectGlob(one, "."), [schema, table, column]),
    );
  }
}
