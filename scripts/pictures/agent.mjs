// The agent of the sample: asks the model, and executes all calls of an answer side by side, each in a shell.
import { spawn } from "node:child_process";
const messages = [{ role: "user", content: process.argv[2] ?? "Go on." }];
const tools = [{ name: "Bash", input_schema: { type: "object" } }];
const execute = (command) =>
  new Promise((resolve) => {
    const child = spawn("bash", ["-c", command], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (out += data));
    child.on("close", (code) => resolve(`exit ${code}\n${out.slice(-2000)}`));
  });
for (;;) {
  const answer = await (
    await fetch("https://api.anthropic.com/v1/messages", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-api-key": "k",
        "anthropic-version": "2023-06-01",
      },
      body: JSON.stringify({ model: "claude-sample", max_tokens: 4096, tools, messages }),
    })
  ).json();
  messages.push({ role: "assistant", content: answer.content });
  const calls = answer.content.filter(({ type }) => type === "tool_use");
  if (calls.length === 0) break;
  const content = await Promise.all(
    calls.map(async ({ id, input }) => ({
      type: "tool_result",
      tool_use_id: id,
      content: await execute(input.command),
    })),
  );
  messages.push({ role: "user", content });
}
