import { Company } from "./company.ts";
import { writeFileSync } from "node:fs";
const t=Date.now(); const say=(x:string)=>console.log(((Date.now()-t)/1000).toFixed(1),x);
const c = new Company();
try { await c.start(); say("started"); await c.probe(); say("probed");
 for (const k of ["ops","blog","flows","dev"]) { const a = await c.blast(k); writeFileSync(`/tmp/world-${k}.json`, JSON.stringify(a)); say(k); }
} finally { await c.close(); say("closed"); }
