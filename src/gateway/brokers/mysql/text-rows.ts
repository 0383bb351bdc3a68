/**
 * Rows of one kept answer, as text.
 *
 * @module
 */
import { MysqlPacketReader, MysqlValues } from "../../../wire/index.ts";

/** Of a cell, for a person. */
const CELL_CHARS_MAX = 200;

export interface TextRows {
  readonly names: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Reads a whole reply to a query. @throws {Fault} `mysql.packet` */
export function readTextRows(bytes: Buffer, cellChars = CELL_CHARS_MAX): TextRows {
  const reader = new MysqlPacketReader(bytes.length);
  reader.push(bytes);
  const next = () => reader.next()?.payload ?? Buffer.alloc(0);
  const head = next();
  if (head.length === 0 || head[0] === 0 || head[0] === 0xff) return { names: [], rows: [] };
  const count = new MysqlValues(head).length();
  const names: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const values = new MysqlValues(next());
    const parts = Array.from({ length: 5 }, () => values.bytes(values.length()).toString("utf8"));
    names.push(parts[4] ?? "");
  }
  next(); // EOF
  const rows: (string | null)[][] = [];
  for (let row = next(); row.length > 0 && !(row[0] === 0xfe && row.length < 9); row = next()) {
    if (row[0] === 0xff) break;
    const values = new MysqlValues(row);
    const cells: (string | null)[] = [];
    let at = 0;
    for (let column = 0; column < count; column += 1) {
      if (row[at] === 0xfb) {
        cells.push(null);
        values.bytes(1);
        at += 1;
        continue;
      }
      const before = values.left;
      const cell = values.bytes(values.length());
      at += before - values.left;
      cells.push(cell.toString("utf8").slice(0, cellChars));
    }
    rows.push(cells);
  }
  return { names, rows };
}
