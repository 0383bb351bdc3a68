/**
 * A client that asks and does not read its answers is not asked on.
 *
 * @module
 */
import type { Socket } from "node:net";

/** Resolves when what was written to `socket` has gone, or `socket` has. */
export async function hasRoom(socket: Socket | undefined): Promise<void> {
  if (socket === undefined || socket.destroyed || !socket.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const settle = () => {
      socket.off("drain", settle).off("close", settle);
      resolve();
    };
    socket.on("drain", settle).on("close", settle);
  });
}
