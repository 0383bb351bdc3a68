/**
 * Cofferdam itself, as a run sees it: a system like any other, at a name of its own, which answers what an
 * agent asks about its run.
 *
 * @module
 */

/** `Action.system` and `Action.kind`; no task file may take it. */
export const OWN_SYSTEM = "cofferdam";

/** A name below the reserved `.internal` (ICANN resolution 2024.07.29.06): nobody else can have it. */
export const OWN_HOST = "cofferdam.internal";
export const OWN_PORT = 80;
