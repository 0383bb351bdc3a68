/** Layer 5: the one process that owns gateway, record and runs. */
export { serve } from "./serve.ts";
