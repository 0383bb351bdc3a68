/**
 * Published ports: a port of this machine's loopback that leads to a port inside the run.
 *
 * @module
 */

/** Source of the form with two ports, for JSON Schema. */
export const PUBLISH_PATTERN = "^[0-9]{1,5}:[0-9]{1,5}$";

/** A port of the host and the one inside that it leads to. */
export type Published = { readonly host: number; readonly run: number };

const PORT_MAX = 65_535;
const PRIVILEGED_MAX = 1023; // What only root may bind, where nobody changed it (ip(7)).

/** What an entry means, or what is wrong with it. */
export function parsePublish(source: string | number): Published | PublishProblem {
  if (typeof source === "string" && !new RegExp(PUBLISH_PATTERN).test(source)) {
    return problem(
      "is no port",
      "write 3000, or 3000:8080 for port 3000 of this machine and 8080 inside; it is always reached at 127.0.0.1 and ::1 only",
    );
  }
  const [host = 0, run = host] = String(source).split(":").map(Number);
  if ([host, run].some((port) => !Number.isInteger(port) || port < 1 || port > PORT_MAX)) {
    return problem("is no port", `ports are whole numbers from 1 to ${PORT_MAX}`);
  }
  if (host <= PRIVILEGED_MAX) {
    return problem(
      "is privileged on this machine: what listens there is taken for a service of the system",
      `choose a port from ${PRIVILEGED_MAX + 1} on: ${8000 + (host % 1000)}:${run}`,
    );
  }
  return { host, run };
}

export interface PublishProblem {
  readonly problem: string;
  readonly hint: string;
}

function problem(text: string, hint: string): PublishProblem {
  return { problem: text, hint };
}

/** As a task file would write it. */
export function printPublished({ host, run }: Published): string {
  return host === run ? String(host) : `${host}:${run}`;
}
