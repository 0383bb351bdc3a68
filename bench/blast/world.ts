/**
 * Worlds of any size for the blast radius, as fact files: chains of web servers, each with a database whose tables its
 * configuration opens, a key to the next server, and grants of all that, some of which wait for a person.
 *
 * @module
 */

/** Facts of one system of a world, and what leads on from it. */
const TABLES = 20;
const CHAIN = 10;

/** A world of `grants` grants and about `facts` facts; the same for the same numbers. */
export function worldOf(grants: number, facts: number): string {
  const lines: string[] = [];
  for (let grant = 0; grant < grants; grant += 1) lines.push(...systemOf(grant));
  // What probes find without end: tables that nobody labels, and may be read.
  for (let extra = 0; lines.length < facts; extra += 1)
    lines.push(...tableOf(extra % grants, TABLES + Math.floor(extra / grants)));
  return `${lines.slice(0, Math.max(facts, grants)).join("\n")}\n`;
}

function systemOf(n: number): readonly string[] {
  const at = `@from("probe ${n}")`;
  const waits = n % 3 === 0 ? " @confirm" : "";
  const [grant, site, role, host] = [`g${n}`, `wordpress:${n}`, `postgres:${n}`, `web${n}`];
  const next = n % CHAIN === CHAIN - 1 ? undefined : `web${n + 1}`;
  return [
    `may(${grant}, "plugin.change", execute, any)${waits} @change("grants[${n}].allow[0]").`,
    `uses(${grant}, "${site}") @change("grants[${n}]").`,
    `principal("${site}", wordpress) ${at}.`,
    `can("${site}", "plugin.change", any) ${at}.`,
    `runs_on("${site}", ${host}, "www-data") ${at}.`,
    `host(${host}) ${at}.`,
    `readable(${host}, "www-data", "${host}:wp-config.php") ${at}.`,
    `contains("${host}:wp-config.php", "password of ${role}") ${at}.`,
    `opens("password of ${role}", "${role}") ${at}.`,
    `principal("${role}", postgres) ${at}.`,
    `at("${role}", "db${n}:5432") ${at}.`,
    `reaches(${host}, "db${n}:5432") ${at}.`,
    ...(next === undefined
      ? []
      : [
          `becomes(${host}, "www-data", root, "sudo") ${at}.`,
          `readable(${host}, root, "${host}:id_ed25519") ${at}.`,
          `contains("${host}:id_ed25519", "key of ${next}") ${at}.`,
          `opens("key of ${next}", "ssh:${n + 1}") ${at}.`,
          `principal("ssh:${n + 1}", ssh) ${at}.`,
          `at("ssh:${n + 1}", "${next}:22") ${at}.`,
          `reaches(${host}, "${next}:22") ${at}.`,
          `can("ssh:${n + 1}", script, any) ${at}.`,
          `login("ssh:${n + 1}", ${next}, deploy) ${at}.`,
          `becomes(${next}, deploy, root, "docker") ${at}.`,
        ]),
    ...Array.from({ length: TABLES }, (_, table) => tableOf(n, table)).flat(),
    `is_effect(postgres, select, read).`,
    `is_effect(postgres, delete, delete).`,
    `is_effect(ssh, script, execute).`,
  ];
}

function tableOf(n: number, table: number): readonly string[] {
  const id = `db${n} public.t${table}`;
  return [
    `can("postgres:${n}", select, "${id}").`,
    `can("postgres:${n}", delete, "${id}").`,
    `rows("${id}", ${1000 + table}).`,
    ...(table % 4 === 0 ? [`label("${id}", customer) @assumed.`] : []),
  ];
}
