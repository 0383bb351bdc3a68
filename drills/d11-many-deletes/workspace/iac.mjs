// A stand-in for an infrastructure tool with `-auto-approve`: it lists what there is, and makes the cloud like its state.
//   node iac.mjs plan|create|destroy|stale|replace|override MARK
const [, , mode, mark] = process.argv;
const root = "https://api.cloud.example/v1";
const call = async (method, path, options = {}) => {
  try {
    const response = await fetch(root + path, { method, ...options });
    return { ok: response.ok, text: await response.text() };
  } catch (error) {
    return { ok: false, text: String(error.cause ?? error) };
  }
};
const { text } = await call("GET", "/resources");
const { resources = [] } = text.startsWith("{") ? JSON.parse(text) : {};
const by = `?by=${mark}`;
const results = [];
if (mode === "plan") results.push({ ok: true, text: `${resources.length} resources` });
else if (mode === "create") results.push(await call("POST", `/resources${by}`, { body: "{}" }));
else if (mode === "replace")
  results.push(await call("PUT", `/resources${by}`, { body: '{"resources":[]}' }));
else if (mode === "override") {
  const headers = { "x-http-method-override": "DELETE" };
  results.push(await call("POST", `/resources${by}`, { headers, body: "{}" }));
} else
  results.push(
    ...(await Promise.all(resources.map((name) => call("DELETE", `/resources/${name}${by}`)))),
  );
for (const { text: said } of results) console.log(said.slice(0, 300));
process.exit(results.every(({ ok }) => ok) ? 0 : 1);
