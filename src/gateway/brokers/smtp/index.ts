/** Mail: the broker of SMTP submission. */
export { smtpBroker } from "./smtp.ts";
