/**
 * The rule language, in which rules are shipped and added, and facts are stated:
 *
 *     fact sudo(Host, User, Target) "{User} may become {Target} on {Host} by sudo".
 *     outcome hosts_executable(Host, Amount) "machines on which commands can be run".
 *
 *     rule sudo: code_on(Host, Target) :- code_on(Host, User), sudo(Host, User, Target)
 *       says "{User} becomes {Target} on {Host} by sudo"
 *       source "sudoers(5)"
 *       example "deploy ALL=(root) NOPASSWD: ALL".
 *
 *     sudo("web1", deploy, root) @from("sudo -l, 2026-11-27").
 *     may(shop, select, "public.orders") @confirm @change("grants[0].allow[1]").
 *
 * `#` begins a comment, every statement ends with a full stop. Annotations of a fact: `@confirm` and `@four_eyes` (one, two
 * persons must say yes), `@assumed`, `@from("...")`, `@change("...")`. docs/reference/blast-radius.md has all of it.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { Scanner, type TokenKind } from "./lexer.ts";
import type { Atom, Constant, Declaration, Fact, Program, Rule, Term } from "./program.ts";

const TERMS_MAX = 8;
const BODY_MAX = 8;

interface Source {
  readonly text: string;
  /** For messages. */
  readonly file: string;
}

/** Reads rules from `sources`, which make one program. @throws {Fault} `blast.syntax`, `blast.rule` */
export function parseRules(sources: readonly Source[]): Program {
  const facts = new Map<string, Declaration>();
  const outcomes = new Map<string, Declaration>();
  const rules: Rule[] = [];
  const stated: (() => Fact)[] = [];
  for (const source of sources) {
    const reader = new Reader(source);
    while (!reader.isDone) {
      const axiom = reader.axiom();
      if (axiom !== undefined) {
        stated.push(() => axiom({ facts }));
        continue;
      }
      const { word, line } = reader.keyword();
      if (word === "rule") rules.push(reader.rule());
      else {
        const declared = reader.declaration();
        const isTwice = facts.has(declared.predicate) || outcomes.has(declared.predicate);
        if (isTwice)
          throw reader.fault("blast.rule", `${declared.predicate} is declared twice`, line);
        (word === "fact" ? facts : outcomes).set(declared.predicate, declared);
      }
    }
  }
  const program = { facts, outcomes, rules, axioms: stated.map((read) => read()) };
  check(program);
  return program;
}

/**
 * Reads facts. What no rule has ever heard of is refused: a misspelt fact would silently make the answer too small.
 *
 * @throws {Fault} `blast.syntax`, `blast.fact`
 */
export function parseFacts(source: Source, program: Program): readonly Fact[] {
  const reader = new Reader(source);
  const facts: Fact[] = [];
  while (!reader.isDone) facts.push(reader.fact(program));
  return facts;
}

class Reader {
  readonly #scanner: Scanner;
  readonly #file: string;

  constructor({ text, file }: Source) {
    this.#scanner = new Scanner(text, file);
    this.#file = file;
  }

  get isDone(): boolean {
    return this.#scanner.kind === "end";
  }

  /** What comes is an atom, and no keyword: it is read later, when everything is declared. */
  axiom(): ((program: Pick<Program, "facts">) => Fact) | undefined {
    const scanner = this.#scanner;
    const before = scanner.mark;
    if (scanner.kind !== "name") return undefined;
    scanner.next();
    const isAtom = this.#isSign("(");
    if (!isAtom) {
      scanner.return(before);
      return undefined;
    }
    while (!this.isDone && !this.#isSign(".")) scanner.next();
    this.#sign(".");
    return (program) => {
      scanner.return(before);
      return this.fact(program);
    };
  }

  fault(code: string, what: string, line = this.#scanner.line): Fault {
    return new Fault(code, `${this.#file}:${line}: ${what}`, {
      hint: "the form of rules and facts is in docs/reference/blast-radius.md",
    });
  }

  keyword(): { readonly word: "rule" | "fact" | "outcome"; readonly line: number } {
    const line = this.#scanner.line;
    const word = this.#take("name", "rule, fact or outcome");
    if (word !== "rule" && word !== "fact" && word !== "outcome") {
      throw this.fault("blast.syntax", `${word} begins nothing: rule, fact or outcome`, line);
    }
    return { word, line };
  }

  declaration(): Declaration {
    const predicate = this.#take("name", "the name of a predicate");
    const names = this.#list(() => this.#take("variable", "the name of an argument"));
    const says = this.#take("string", "a sentence in quotes");
    this.#sign(".");
    return { predicate, arguments: names, says };
  }

  rule(): Rule {
    const name = this.#take("name", "the name of a rule");
    this.#sign(":");
    const head = this.#atom();
    this.#sign(":-");
    const body = [this.#atom()];
    while (this.#isSign(",")) body.push(this.#after(",", () => this.#atom()));
    if (body.length > BODY_MAX)
      throw this.fault("blast.rule", `${name} has more than ${BODY_MAX} atoms`);
    const isFree = this.#isName("free");
    if (isFree) this.#scanner.next();
    const says = this.#clause("says");
    const source = this.#clause("source");
    const example = this.#clause("example");
    this.#sign(".");
    return { name, head, body, says, source, example, isFree };
  }

  fact(program: Pick<Program, "facts">): Fact {
    const line = this.#scanner.line;
    const { predicate, terms } = this.#atom();
    const declared = program.facts.get(predicate);
    if (declared === undefined) {
      throw this.fault("blast.fact", `no rule knows of the fact ${predicate}`, line);
    }
    if (declared.arguments.length !== terms.length) {
      const form = `${predicate}(${declared.arguments.join(", ")})`;
      throw this.fault("blast.fact", `${predicate} has ${terms.length} arguments: ${form}`, line);
    }
    const constants = terms.map((term): Constant => {
      if ("variable" in term)
        throw this.fault("blast.fact", `${term.variable}: a fact has no variables`, line);
      return term.constant;
    });
    const annotations = this.#annotations();
    this.#sign(".");
    return { predicate, terms: constants, ...annotations };
  }

  #annotations(): Pick<Fact, "persons" | "from" | "isAssumed" | "change"> {
    let persons = 0;
    let isAssumed = false;
    let from = `${this.#file}:${this.#scanner.line}`;
    let change: string | undefined;
    while (this.#scanner.kind === "annotation") {
      const { text, line } = this.#scanner;
      this.#scanner.next();
      if (text === "confirm") persons = Math.max(persons, 1);
      else if (text === "four_eyes") persons = 2;
      else if (text === "assumed") isAssumed = true;
      else if (text === "from") from = this.#inBrackets();
      else if (text === "change") change = this.#inBrackets();
      else throw this.fault("blast.syntax", `@${text} is no annotation`, line);
    }
    return { persons, from, isAssumed, ...(change === undefined ? {} : { change }) };
  }

  #inBrackets(): string {
    this.#sign("(");
    const text = this.#take("string", "a text in quotes");
    this.#sign(")");
    return text;
  }

  #clause(word: string): string {
    if (!this.#isName(word)) throw this.fault("blast.rule", `a rule needs ${word} "..." here`);
    this.#scanner.next();
    return this.#take("string", "a text in quotes");
  }

  #atom(): Atom {
    const predicate = this.#take("name", "a predicate");
    return { predicate, terms: this.#list(() => this.#term()) };
  }

  #list<Item>(item: () => Item): readonly Item[] {
    this.#sign("(");
    const items = [item()];
    while (this.#isSign(",")) items.push(this.#after(",", item));
    this.#sign(")");
    if (items.length > TERMS_MAX)
      throw this.fault("blast.syntax", `more than ${TERMS_MAX} arguments`);
    return items;
  }

  #term(): Term {
    const { kind, text, value } = this.#scanner;
    if (kind === "sign" || kind === "annotation" || kind === "end")
      throw this.#expected("an argument");
    this.#scanner.next();
    if (kind === "variable") return { variable: text };
    return { constant: kind === "number" ? value : text };
  }

  #after<Item>(sign: string, then: () => Item): Item {
    this.#sign(sign);
    return then();
  }

  #isSign(text: string): boolean {
    return this.#scanner.kind === "sign" && this.#scanner.text === text;
  }

  #isName(text: string): boolean {
    return this.#scanner.kind === "name" && this.#scanner.text === text;
  }

  #sign(text: string): void {
    if (!this.#isSign(text)) throw this.#expected(`\`${text}\``);
    this.#scanner.next();
  }

  #take(kind: TokenKind, what: string): string {
    if (this.#scanner.kind !== kind) throw this.#expected(what);
    const { text } = this.#scanner;
    this.#scanner.next();
    return text;
  }

  #expected(what: string): Fault {
    const { kind, text } = this.#scanner;
    const found = kind === "end" ? "the end of the file" : JSON.stringify(text.slice(0, 40));
    return this.fault("blast.syntax", `${found} where ${what} belongs`);
  }
}

/** What would make a rule mean nothing, or not what it seems to, is refused. */
function check({ facts, outcomes, rules }: Program): void {
  const fault = (name: string, what: string) =>
    new Fault("blast.rule", `rule ${name}: ${what}`, {
      hint: "the form of rules is in docs/reference/blast-radius.md",
    });
  const arities = new Map<string, number>();
  for (const one of [...facts.values(), ...outcomes.values()])
    arities.set(one.predicate, one.arguments.length);
  for (const { predicate, arguments: names } of outcomes.values()) {
    if (names.length !== 2)
      throw fault(predicate, "an outcome has two arguments: what it happens to, and how much");
  }
  const names = new Set<string>();
  const derived = new Set(rules.map(({ head }) => head.predicate));
  for (const { name, head, body, says } of rules) {
    if (names.has(name)) throw fault(name, "there are two of this name");
    names.add(name);
    if (facts.has(head.predicate))
      throw fault(name, `${head.predicate} is declared as a fact, and cannot follow`);
    for (const { predicate, terms } of [head, ...body]) {
      const arity = arities.get(predicate) ?? terms.length;
      arities.set(predicate, arity);
      if (arity !== terms.length)
        throw fault(name, `${predicate} has ${arity} arguments elsewhere`);
    }
    const unknown = body.find(({ predicate }) => !facts.has(predicate) && !derived.has(predicate));
    if (unknown !== undefined) {
      throw fault(
        name,
        `nothing ever makes ${unknown.predicate} so: declare it as a fact, or write a rule for it`,
      );
    }
    const isBlank = head.terms.some((term) => "variable" in term && term.variable === "_");
    if (isBlank) throw fault(name, "_ stands in the head");
    const bound = new Set(body.flatMap(variablesOf));
    const free = variablesOf(head).find((one) => !bound.has(one));
    if (free !== undefined) throw fault(name, `${free} stands in the head alone`);
    const said = [...says.matchAll(/\{([^}]*)\}/g)].map(([, hole = ""]) => hole);
    const missing = said.find((hole) => !bound.has(hole));
    if (missing !== undefined) throw fault(name, `{${missing}} is no variable of it`);
  }
}

function variablesOf({ terms }: Atom): readonly string[] {
  return terms.flatMap((term) =>
    "variable" in term && term.variable !== "_" ? [term.variable] : [],
  );
}
