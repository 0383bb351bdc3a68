/**
 * What a run changed in its copy-on-write workspace: show it, take it over, throw it away.
 *
 * @module
 */
import type { Gives } from "../../api/index.ts";
import { shellWord, visibleLine } from "../../base/index.ts";
import { EXIT, JSON_HELP, JSON_OPTION, listOption, textOption, type Command } from "../command.ts";

/** A line for each ref, and for each that is left out. */
function describeCommits(commits: Gives<"workspace.diff">["commits"], done: string): string {
  return commits
    .flatMap(({ repository, refs, skipped }) => [
      ...refs.map(
        ({ name, commit, was }) =>
          `${done} ${repository}: ${was} ${commit.slice(0, 12)} -> ${name}\n`,
      ),
      ...skipped.map(({ path, why }) => `skipped   ${repository}: ${path}: ${why}\n`),
    ])
    .join("");
}

/** What task files among the changes make possible at worst, before and after. */
function describeRadius(radius: Gives<"workspace.diff">["radius"]): string {
  return radius
    .flatMap(({ path, lines }) => lines.map((line) => `cofferdam: ${path}: ${visibleLine(line)}\n`))
    .join("");
}

export const diffCommand: Command = {
  name: "diff",
  usage: "RUN [--json]",
  options: JSON_OPTION,
  optionHelp: JSON_HELP,
  examples: ["cofferdam diff r-06hcx9k2m4q7tz"],
  positionals: [1, 1],
  async run(context) {
    const run = context.positionals[0] ?? "";
    const { changes, commits, radius, text, digest } = await (
      await context.daemon()
    ).call("workspace.diff", { run });
    if (context.values["json"] === true) {
      for (const one of [...changes, ...commits]) context.out(`${JSON.stringify(one)}\n`);
      return EXIT.ok;
    }
    context.out(text);
    context.out(describeCommits(commits, "fetch    "));
    context.err(describeRadius(radius));
    for (const change of changes.filter((one) => one.executes !== undefined)) {
      context.err(`cofferdam: ${change.path} is executed by other programs: ${change.executes}\n`);
    }
    if (digest !== undefined && changes.length + commits.length > 0) {
      context.err(`cofferdam: \`cofferdam apply ${run} --digest ${digest}\` applies these alone\n`);
    }
    return EXIT.ok;
  },
};

export const applyCommand: Command = {
  name: "apply",
  usage: "RUN [--only PATH]... [--confirm PATH]... [--digest DIGEST] [--partial] [--json]",
  options: {
    only: { type: "string", multiple: true },
    confirm: { type: "string", multiple: true },
    digest: { type: "string" },
    partial: { type: "boolean" },
    ...JSON_OPTION,
  },
  optionHelp: {
    only: "just this path; may be repeated",
    confirm: "a path that other programs execute, confirmed by name; may be repeated",
    digest: "nothing but what `diff` showed with it",
    partial: "apply what can be applied although some host files changed meanwhile",
    ...JSON_HELP,
  },
  examples: [
    "cofferdam apply r-06hcx9k2m4q7tz",
    "cofferdam apply r-06hcx9k2m4q7tz --confirm Makefile --confirm package.json",
  ],
  positionals: [1, 1],
  async run(context) {
    const only = listOption(context.values, "only");
    const digest = textOption(context.values, "digest");
    const result = await (
      await context.daemon()
    ).call("workspace.apply", {
      run: context.positionals[0] ?? "",
      confirm: [...listOption(context.values, "confirm")],
      ...(only.length > 0 ? { only: [...only] } : {}),
      ...(digest === undefined ? {} : { digest }),
      partial: context.values["partial"] === true,
    });
    if (context.values["json"] === true) context.out(`${JSON.stringify(result)}\n`);
    else {
      for (const path of result.applied) context.out(`applied   ${path}\n`);
      context.err(describeRadius(result.radius));
      context.out(describeCommits(result.commits, "fetched  "));
      for (const { path, why } of result.held) {
        context.out(`held      ${path}: ${why}; confirm it with --confirm ${shellWord(path)}\n`);
      }
      for (const { path, why } of result.notes) context.out(`note      ${path}: ${why}\n`);
      for (const { path, why } of result.conflicts) context.out(`conflict  ${path}: ${why}\n`);
      for (const { path, why } of result.refused) context.out(`refused   ${path}: ${why}\n`);
    }
    const left = result.held.length + result.conflicts.length + result.refused.length;
    return left === 0 ? EXIT.ok : EXIT.no;
  },
};

export const discardCommand: Command = {
  name: "discard",
  usage: "RUN",
  options: {},
  optionHelp: {},
  examples: ["cofferdam discard r-06hcx9k2m4q7tz"],
  positionals: [1, 1],
  async run(context) {
    const run = context.positionals[0] ?? "";
    await (await context.daemon()).call("workspace.discard", { run });
    return EXIT.ok;
  },
};
