/**
 * `metrics`: what there is to measure, once or for a scraper.
 *
 * @module
 */
import { renameSync, writeFileSync } from "node:fs";
import { describeError, Fault } from "../../base/index.ts";
import { renderFamilies } from "../../metrics/index.ts";
import { EXIT, textOption, type Command } from "../command.ts";
import { listenAddress } from "../listen.ts";
import { collectMetrics, serveMetrics } from "../metrics-server.ts";

export const metricsCommand: Command = {
  name: "metrics",
  usage: "[--listen ADDRESS:PORT [--beyond-loopback]] [--textfile FILE]",
  options: {
    listen: { type: "string" },
    "beyond-loopback": { type: "boolean" },
    textfile: { type: "string" },
  },
  optionHelp: {
    listen: "serve them there until interrupted: 127.0.0.1:9464",
    "beyond-loopback": "also where other machines can ask, without any sign-in",
    textfile: "write them there at once, for node_exporter's textfile collector",
  },
  examples: [
    "cofferdam metrics",
    "cofferdam metrics --listen 127.0.0.1:9464",
    "cofferdam metrics --textfile /var/lib/node_exporter/cofferdam.prom",
  ],
  positionals: [0, 0],
  async run({ values, home, running, out }) {
    const listen = textOption(values, "listen");
    const client = await running();
    if (listen === undefined) {
      const text = renderFamilies(await collectMetrics(home, client), "plain");
      const file = textOption(values, "textfile");
      if (file === undefined) process.stdout.write(text);
      else {
        try {
          writeFileSync(`${file}.new`, text, { mode: 0o644 });
          renameSync(`${file}.new`, file); // The collector sees the old one or the new one.
        } catch (error) {
          throw new Fault("cli.usage", `${file} cannot be written: ${describeError(error)}`);
        }
      }
      return EXIT.ok;
    }
    const address = listenAddress(listen);
    if (!address.isLoopback && values["beyond-loopback"] !== true) {
      throw new Fault("cli.listen", `${listen} can be reached from other machines`, {
        hint: "nobody signs in there; --beyond-loopback says that this is meant",
      });
    }
    const server = await serveMetrics({ home, client, listen: address });
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
    out(`metrics: http://${listen.replace(/:\d+$/, "")}:${port}/metrics\n`);
    await new Promise<void>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, resolve);
    });
    server.close();
    server.closeAllConnections();
    return EXIT.ok;
  },
};
