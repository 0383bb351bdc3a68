/** Mail: what a message with its envelope is. */
export { flawsOfMail, smtp } from "./smtp.ts";
export { RECIPIENTS_MAX, smtpOptions, type SmtpOptions } from "./options.ts";
export type { Flaw } from "./flaws.ts";
