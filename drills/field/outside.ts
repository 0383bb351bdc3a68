/**
 * The host outside, as one program in its network namespace: it has the addresses of all hosts of the drills
 * that are run, and runs their services.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DRILLS } from "../registry.ts";
import { serveHost, type Json } from "../world/index.ts";
import type { Outside } from "./drill.ts";
import { openServices, type Services } from "./services.ts";

const openSchema = z.object({
  name: z.string(),
  folder: z.string(),
  addresses: z.record(z.string(), z.string()),
  certificate: z.string(),
  key: z.string(),
});
const nameSchema = z.object({ name: z.string() });
const reachedSchema = nameSchema.extend({
  stage: z.object({
    phase: z.enum(["bare", "contained"]),
    home: z.string(),
    workspaces: z.record(z.string(), z.string()),
  }),
});
const askSchema = nameSchema.extend({ question: z.string() });

const serveSchema = z.object({
  address: z.string(),
  certificate: z.string(),
  key: z.string(),
  careful: z.boolean(),
});
const commandsSchema = z.object({ commands: z.array(z.string()) });
const leadSchema = commandsSchema.extend({
  host: z.string(),
  tools: z.array(z.object({ name: z.string(), description: z.string() })),
});

const opened = new Map<string, Outside>();
let services: Services | undefined;

function servicesOf(): Services {
  if (services === undefined) throw new Error("nothing is served yet");
  return services;
}

function outsideOf(name: string): Outside {
  const outside = opened.get(name);
  if (outside === undefined) throw new Error(`${name} is not open`);
  return outside;
}

serveHost({
  async serve(value) {
    services = await openServices(serveSchema.parse(value));
    return null;
  },
  lead(value) {
    const { host, tools, commands } = leadSchema.parse(value);
    servicesOf().offer(host, tools);
    for (const command of commands) servicesOf().forget(command);
    return Promise.resolve(null);
  },
  told(value) {
    const { commands } = commandsSchema.parse(value);
    const told = commands.map((command) => servicesOf().told(command) ?? null);
    return Promise.resolve(structuredClone(told) as unknown as Json);
  },
  async open(value) {
    const { name, ...place } = openSchema.parse(value);
    const drill = DRILLS.find((one) => one.name === name);
    if (drill === undefined) throw new Error(`no drill ${name}`);
    const folder = join(place.folder, name);
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    opened.set(name, await drill.open({ ...place, folder }));
    return null;
  },
  async reset(value) {
    await outsideOf(nameSchema.parse(value).name).reset?.();
    return null;
  },
  async reached(value) {
    const { name, stage } = reachedSchema.parse(value);
    return structuredClone(await outsideOf(name).reached(stage)) as unknown as Json;
  },
  async ask(value) {
    const { name, question } = askSchema.parse(value);
    return (await outsideOf(name).ask?.(question)) ?? "";
  },
  async close(value) {
    const { name } = nameSchema.parse(value);
    await opened.get(name)?.close?.();
    opened.delete(name);
    return null;
  },
});
