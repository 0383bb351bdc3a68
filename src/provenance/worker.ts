/** The watching thread's entry. */
import { openProcEvents } from "../sys/index.ts";
import { superviseThread } from "./thread.ts";

superviseThread(openProcEvents());
