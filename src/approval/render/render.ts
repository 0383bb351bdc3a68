/**
 * A look as blocks of text: the content as its kind is printed, then what else stands in the action.
 *
 * @module
 */
import type { Look, LookContent } from "../../api/index.ts";
import { memberLines, valueLines } from "../look/members.ts";
import { laidOut, type Block } from "./block.ts";
import { printMail } from "./mail.ts";
import { printPayment } from "./payment.ts";
import { printPush } from "./push.ts";
import { printPassages } from "./texts.ts";
import { printWorkflow } from "./workflow.ts";

export function printLook({ content, rest, now, change, more }: Look): readonly Block[] {
  const own = printContent(content);
  // Of what has no blocks of its own, every parameter is a line.
  const left = more.filter(({ isShown }) => own === undefined || !isShown);
  const label = own === undefined ? "Content" : "Also";
  return [
    ...(own ?? []),
    ...(rest === undefined ? [] : laidOut(label, valueLines(rest))),
    ...laidOut("Now", now),
    ...laidOut("Change", change),
    ...left.flatMap(({ name, value }) => laidOut("More", memberLines(name, value))),
  ];
}

function printContent(content: LookContent): readonly Block[] | undefined {
  switch (content.kind) {
    case "push":
      return printPush(content);
    case "mail":
      return printMail(content);
    case "workflow":
      return printWorkflow(content);
    case "payment":
      return printPayment(content);
    case "post":
    case "message":
      return printPassages(content.passages);
    default:
      return undefined;
  }
}
