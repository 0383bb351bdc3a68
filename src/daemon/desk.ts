/**
 * The desk: where what waits for a person is put, and from where it is performed once a person said yes.
 *
 * @module
 */
import type { Action } from "../action/index.ts";
import { findEntry, type Entry } from "../catalog/index.ts";
import type { HeldRequest, Resolution } from "../gateway/index.ts";
import type { Run } from "./run.ts";

export class Desk {
  entryOf(kind: string): Entry | undefined {
    return findEntry(kind);
  }

  hold(run: Run, request: HeldRequest, action: Action): Promise<Resolution> {
    void run;
    void request;
    return Promise.resolve({ kind: "pending", approval: action.id, reason: "nobody can be asked" });
  }
}
