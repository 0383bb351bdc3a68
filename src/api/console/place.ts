/**
 * Which task file a text of the console belongs to.
 *
 * @module
 */
import { z } from "zod";

/** Longest text that is taken, in UTF-16 units: longer is no task file (src/yaml). */
const SOURCE_CHARS_MAX = 64 * 1024;

/** A name of a file in the home's `tasks/`: no folder, nothing hidden. */
const FILE = "[A-Za-z0-9][A-Za-z0-9_-]{0,60}(?:\\.[A-Za-z0-9_-]{1,40}){0,3}\\.ya?ml";
export const TASK_FILE_NAME = new RegExp(`^${FILE}$`);

/**
 * `tasks/ops.yaml`: a file of the home's own folder; `profile/shell`: one that ships; `run/r-1b2c`: the text that a run was
 * started with, as it is on record.
 */
export const placeSchema = z
  .string()
  .max(240)
  .regex(new RegExp(`^(?:tasks/${FILE}|profile/[a-z0-9-]{1,60}|run/r-[0-9a-z]{1,20})$`));

export const sourceSchema = z.string().max(SOURCE_CHARS_MAX);
