/** The watching thread on a kernel that does not tell of forks. */
import { superviseThread } from "./thread.ts";

superviseThread(undefined);
