/**
 * Everyday tools: what each is asked to do in a run, and what comes of it. The table of
 * docs/reference/tools.md is made from these rows.
 *
 * @module
 */
import { GIT_HOST, PAGE, WEB_HOST } from "../support/outside.ts";
import { GO_MODULE, PACKAGE, SAYS } from "../support/registries.ts";

export interface Tool {
  readonly tool: string;
  readonly does: string;
  /** A command for `sh -c`, or the whole of CMD. */
  readonly run: string | readonly string[];
  /** The program without which the row is skipped. */
  readonly needs: string;
  /** What its output holds. */
  readonly says: string;
  readonly works: boolean;
  /** The rule of the denial that the record must hold, where there is one. */
  readonly rule?: string;
  readonly why: string;
  /** Reaches for nothing outside. */
  readonly offline?: boolean;
  /** Over a second, or not on every machine: only in `npm run test:tools`. */
  readonly heavy?: boolean;
  readonly files?: Readonly<Record<string, string>>;
}

const URL = `https://${WEB_HOST}/text`;
const fetchInNode = `node -e 'fetch("${URL}").then(async (r) => console.log(await r.text()))'`;
const module = PACKAGE.replace("-", "_");

const MAIN_GO = `package main\nimport ("fmt"; "${GO_MODULE}")\nfunc main() { fmt.Println(sample.Says) }\n`;
const FETCH_GO = `package main
import ("fmt"; "io"; "net/http")
func main() {
  r, err := http.Get("${URL}")
  if err != nil { panic(err) }
  b, _ := io.ReadAll(r.Body)
  fmt.Println(string(b))
}
`;
const FETCH_JAVA = `import java.net.URI; import java.net.http.*;
class Fetch { public static void main(String[] a) throws Exception {
  var request = HttpRequest.newBuilder(URI.create("${URL}")).build();
  System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
} }
`;
const POOL_PY = `import multiprocessing as m
if __name__ == "__main__":
    with m.Pool(4) as pool: print("sum", sum(pool.map(abs, range(-100, 0))), m.Lock() is not None)
`;
const WORKERS_JS = `const { Worker } = require("worker_threads");
const shared = new Int32Array(new SharedArrayBuffer(4));
const source = 'const { workerData } = require("worker_threads"); Atomics.add(workerData, 0, 1)';
let left = 8;
for (let n = 0; n < 8; n += 1)
  new Worker(source, { eval: true, workerData: shared }).on("exit", () => (left -= 1) || console.log("workers", shared[0]));
`;

export const TOOLS: readonly Tool[] = [
  {
    tool: "curl",
    does: "GET over HTTPS",
    run: `curl -sS ${URL}`,
    needs: "curl",
    says: PAGE,
    works: true,
    why: "reads the bundle",
  },
  {
    tool: "wget",
    does: "GET over HTTPS",
    run: `wget -qO- ${URL}`,
    needs: "wget",
    heavy: true,
    says: PAGE,
    works: true,
    why: "reads the bundle",
  },
  {
    tool: "git",
    does: "clone and fetch over HTTPS",
    needs: "git",
    run: `git clone -q https://${GIT_HOST}/sample.git && git -C sample fetch -v 2>&1 && cat sample/file`,
    says: "from git",
    works: true,
    why: "GET and POST to the repository's paths are granted",
  },
  {
    tool: "node",
    does: "`fetch`",
    run: fetchInNode,
    needs: "node",
    says: PAGE,
    works: true,
    why: "NODE_EXTRA_CA_CERTS",
  },
  {
    tool: "npm",
    does: "install",
    needs: "npm",
    run: `npm install --no-audit --no-fund ${PACKAGE} && node -p 'require("${PACKAGE}")'`,
    says: SAYS,
    works: true,
    why: "the registry is granted for GET",
    files: { "package.json": "{}" },
  },
  {
    tool: "python",
    does: "urllib over HTTPS",
    needs: "python3",
    run: `python3 -c 'import urllib.request as u; print(u.urlopen("${URL}").read().decode())'`,
    says: PAGE,
    works: true,
    why: "SSL_CERT_FILE",
  },
  {
    tool: "python",
    does: "TLS with VERIFY_X509_STRICT",
    needs: "python3",
    run: `python3 -c 'import ssl, urllib.request as u; c = ssl.create_default_context(); c.verify_flags |= ssl.VERIFY_X509_STRICT; print(u.urlopen("${URL}", context=c).read().decode())'`,
    says: PAGE,
    works: true,
    why: "the certificates are minted for the strictest verifiers",
  },
  {
    tool: "openssl",
    does: "s_client -x509_strict",
    needs: "openssl",
    run: `printf 'GET /text HTTP/1.1\\r\\nHost: ${WEB_HOST}\\r\\nConnection: close\\r\\n\\r\\n' | openssl s_client -quiet -x509_strict -verify_return_error -connect ${WEB_HOST}:443 2>&1`,
    says: PAGE,
    works: true,
    why: "as above",
  },
  {
    tool: "python",
    does: "multiprocessing: pool and locks",
    run: "python3 pool.py",
    needs: "python3",
    says: "sum 5050 True",
    works: true,
    why: "`/dev/shm` is the run's own",
    offline: true,
    files: { "pool.py": POOL_PY },
  },
  {
    tool: "node",
    does: "worker threads and shared memory",
    run: "node workers.cjs",
    needs: "node",
    says: "workers 8",
    works: true,
    why: "threads are ordinary",
    offline: true,
    files: { "workers.cjs": WORKERS_JS },
  },
  {
    tool: "ssh",
    does: "to a granted host, port 22",
    needs: "ssh",
    run: `ssh -F none -o BatchMode=yes -o ConnectTimeout=5 ${WEB_HOST} id 2>&1`,
    says: "Connection refused",
    works: false,
    rule: "no-grant",
    why: "no grant has port 22; refused at connect",
  },
  {
    tool: "ssh",
    does: "to a granted host, port 443",
    needs: "ssh",
    run: `ssh -F none -o BatchMode=yes -o ConnectTimeout=5 -p 443 ${WEB_HOST} id 2>&1`,
    says: "kex_exchange_identification",
    works: false,
    rule: "protocol.ssh",
    why: "the grant says https: the first bytes must be TLS",
  },
  {
    tool: "rsync",
    does: "over SSH",
    needs: "rsync",
    heavy: true,
    run: `rsync -a -e 'ssh -F none -o BatchMode=yes' ${WEB_HOST}:/etc/ here/ 2>&1`,
    says: "Connection refused",
    works: false,
    rule: "no-grant",
    why: "as ssh",
  },
  {
    tool: "docker",
    does: "any command",
    needs: "docker",
    heavy: true,
    run: "docker ps 2>&1",
    says: "to the Docker daemon",
    works: false,
    why: "the host's socket is not in the run, and a container engine cannot start in one",
  },
  {
    tool: "apt",
    does: "update, install",
    needs: "apt-get",
    run: "apt-get update 2>&1; apt-get install -y hello 2>&1",
    says: "are you root?",
    works: false,
    why: "a run is never root, and the system is read-only; install on the host",
  },
  {
    tool: "pip",
    does: "install",
    needs: "python3",
    heavy: true,
    run: `python3 -m pip install -q --disable-pip-version-check --target lib ${PACKAGE} && PYTHONPATH=lib python3 -c 'import ${module}; print(${module}.says)'`,
    says: SAYS,
    works: true,
    why: "the index and the files are granted for GET",
  },
  {
    tool: "go",
    does: "get and run, through the module proxy",
    needs: "go",
    heavy: true,
    run: `go mod init m && go get ${GO_MODULE}@v1.0.0 && go run .`,
    says: SAYS,
    works: true,
    why: "the proxy is granted; GOSUMDB=off, as the module is not public",
    files: { "main.go": MAIN_GO },
  },
  {
    tool: "go",
    does: "net/http over HTTPS",
    run: "go run fetch.go",
    needs: "go",
    heavy: true,
    says: PAGE,
    works: true,
    why: "SSL_CERT_FILE",
    files: { "fetch.go": FETCH_GO },
  },
  {
    tool: "cargo",
    does: "run, with a crate from crates.io",
    run: ["cargo", "run", "-q"],
    needs: "cargo",
    heavy: true,
    says: SAYS,
    works: true,
    why: "index and files are granted for GET; CARGO_HTTP_CAINFO",
    files: {
      "Cargo.toml": `[package]\nname = "m"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n${PACKAGE} = "1"\n`,
      "src/main.rs": `fn main() { println!("{}", ${module}::SAYS); }\n`,
    },
  },
  {
    tool: "java",
    does: "HttpClient over HTTPS",
    run: "java Fetch.java",
    needs: "java",
    heavy: true,
    says: PAGE,
    works: true,
    why: "a key store of the run's own",
    files: { "Fetch.java": FETCH_JAVA },
  },
  {
    tool: "chromium",
    does: "headless, a page with a script",
    needs: "chromium",
    heavy: true,
    run: `chromium --headless --disable-gpu --dump-dom https://${WEB_HOST}/ 2>/dev/null`,
    says: PAGE,
    works: true,
    why: "trusts by policy; its own sandbox, which needs namespaces, is switched off",
  },
  {
    tool: "firefox",
    does: "headless, a screenshot of a page",
    needs: "firefox-esr",
    heavy: true,
    run: `firefox-esr --headless --screenshot "$PWD/shot.png" https://${WEB_HOST}/ 2>&1 && ls shot.png`,
    says: "shot.png",
    works: true,
    why: "trusts by policy",
  },
];
