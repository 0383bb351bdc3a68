/**
 * The protocols as task files name them.
 *
 * @module
 */
import { allProtocols } from "./registry.ts";

/** What a task file needs to know of a protocol. */
export interface ProtocolInfo {
  readonly verbs: readonly string[];
  readonly ports: readonly number[];
  readonly isSession: true;
  /** What `mint:` takes, where it makes logins: nothing, as the rules say what they may. */
  readonly mints?: readonly string[];
  readonly separators: Readonly<Record<string, string>>;
  flawsOfOptions(options: unknown): readonly { readonly path: string; readonly message: string }[];
}

/** Every protocol, by the name that grants have for it. */
export function protocolSystems(): ReadonlyMap<string, ProtocolInfo> {
  return new Map(
    [...allProtocols().values()].map((protocol) => {
      const { system, ports, verbs, object, options, mint } = protocol;
      const separators = Object.entries(verbs).map(
        ([verb, { separator = object.separator }]) => [verb, separator] as const,
      );
      return [
        system,
        {
          verbs: Object.keys(verbs),
          ports,
          isSession: true,
          ...(mint === undefined ? {} : { mints: [] }),
          separators: Object.fromEntries(separators),
          flawsOfOptions(given) {
            const { error } = options.safeParse(given);
            return (error?.issues ?? []).map(({ path, message }) => ({
              path: path.join("."),
              message,
            }));
          },
        },
      ];
    }),
  );
}
