export { readSmtpCommand, readSmtpPath, type SmtpCommand, type SmtpPath } from "./command.ts";
export { SmtpReader, type SmtpFlaw } from "./reader.ts";
export { stuffDots } from "./dots.ts";
export { SmtpReplyReader, type SmtpReply } from "./reply.ts";
