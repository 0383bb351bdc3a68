/**
 * PostgreSQL's protocol with its grammar loaded, for tests.
 *
 * @module
 */
import { findProtocol, loadProtocols } from "../../src/protocols/index.ts";

await loadProtocols(["postgres"]);
const found = findProtocol("postgres");
if (found === undefined) throw new Error("nobody speaks postgres");

export const POSTGRES = found;
