import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CheckContext } from "../../../core/restoreTest/checks/check.js";
import { runCheck } from "../../../core/restoreTest/checks/runCheck.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { type BodyOf, check, fakeContext, pattern } from "./fakeContext.js";

const open: Server[] = [];
const sockets = new Set<Socket>();

async function listen(server: Server): Promise<Partial<CheckContext>> {
  open.push(server);
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { guestPorts: [80], hostPort: (guestPort) => (guestPort === 80 ? port : null) };
}

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open.splice(0)) server.close();
});

describe("tcp checks", () => {
  /** Patient with all but those that say nothing. */
  const tcp = (body: Partial<BodyOf<"tcp">> = {}, timeoutMs = 60_000) =>
    check("tcp", { port: 80, sends: null, expects: null, ...body }, { timeoutMs });
  const outcome = async (spec: ReturnType<typeof tcp>, given: Partial<CheckContext>) => {
    const { outcome, reason } = (await runCheck(spec, fakeContext(given))).result;
    return reason === null ? outcome : `${outcome}: ${reason}`;
  };

  it("want bytes", async () => {
    const banner = await listen(createTcpServer((socket) => socket.end("SSH-2.0-x\r\n")));
    assert.equal(await outcome(tcp(), banner), "passed");
    assert.equal(await outcome(tcp({ expects: pattern(/^SSH-2/) }), banner), "passed");
    assert.match(await outcome(tcp({ expects: pattern(/^HTTP/) }), banner), /^failed: the connection was closed/);
  });

  it("send what they are told, and match what comes in pieces", async () => {
    const echo = await listen(
      createTcpServer((socket) =>
        socket.on("data", (data) => {
          socket.write(data.subarray(0, 2));
          setTimeout(() => socket.write(data.subarray(2)), 50);
        }),
      ),
    );
    assert.equal(await outcome(tcp({ sends: "PING\r\n", expects: pattern(/^PING\r$/) }), echo), "passed");
  });

  it("do not take a connection that the forwarder accepts for an answer", async () => {
    const mute = await listen(createTcpServer(() => {}));
    assert.match(await outcome(tcp({}, 400), mute), /^inconclusive: no byte came/);
    assert.match(await outcome(tcp({ expects: pattern(/x/) }, 400), mute), /^failed: no answer in time/);
    const refused = { ...mute, establishedConnections: async () => 2 };
    assert.match(await outcome(tcp({}, 400), refused), /^failed: no answer in time/);
    let looks = 0;
    const accepted = { ...mute, establishedConnections: async () => looks++ };
    assert.equal(await outcome(tcp({}, 400), accepted), "passed");
    const closing = await listen(createTcpServer((socket) => socket.destroy()));
    assert.match(await outcome(tcp(), closing), /^failed/);
  });

  it("fail when nobody listens, and cannot tell without a forwarded port", async () => {
    const server = createTcpServer();
    const gone = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    assert.match(await outcome(tcp(), gone), /^failed/);
    assert.match(await outcome(tcp({ port: 81 }), gone), /^inconclusive: port 81/);
  });

  it("do not read for ever", async () => {
    const flood = await listen(
      createTcpServer((socket) => {
        socket.on("error", () => {});
        const pour = () => void (socket.write("x".repeat(65536)) ? setImmediate(pour) : socket.once("drain", pour));
        pour();
      }),
    );
    assert.match(await outcome(tcp({ expects: pattern(/y/) }), flood), /^failed: .*more than 65536/);
  });
});

describe("http checks", () => {
  const http = (body: Partial<BodyOf<"http">> = {}, timeoutMs = 60_000) => {
    const plain = { port: 80, path: "/health", tls: false, host: "web1.example", status: [200] };
    return check("http", { ...plain, matches: null, forbidden: null, validForMs: null, ...body }, { timeoutMs });
  };
  const serve = (listener: RequestListener) => listen(createServer(listener));
  const outcome = async (spec: ReturnType<typeof http>, given: Partial<CheckContext>) => {
    const { outcome, reason } = (await runCheck(spec, fakeContext(given))).result;
    return reason === null ? outcome : `${outcome}: ${reason}`;
  };

  it("ask for the path under the name of the host", async () => {
    const seen: string[] = [];
    const web = await serve((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host}`);
      response.end("all is well");
    });
    assert.equal(await outcome(http({ matches: pattern(/well/), forbidden: pattern(/error/) }), web), "passed");
    assert.deepEqual(seen, ["GET /health web1.example"]);
    assert.match(await outcome(http({ status: [204] }), web), /^failed: the status is 200/);
    assert.match(await outcome(http({ matches: pattern(/error/) }), web), /^failed: nothing matches/);
    assert.match(await outcome(http({ forbidden: pattern(/well/) }), web), /^failed: .*must not appear/);
    assert.match(await outcome(http({ validForMs: 1 }), web), /^inconclusive/);
    assert.match(await outcome(http(), {}), /^inconclusive: port 80/);
  });

  it("follow nothing", async () => {
    const web = await serve((_request, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end());
    assert.match(await outcome(http(), web), /^failed: the status is 302/);
  });

  it("fail without an answer, or with half of one", async () => {
    const mute = await listen(createTcpServer(() => {}));
    assert.match(await outcome(http({}, 1500), mute), /^failed/);
    const other = await listen(createTcpServer((socket) => socket.end("SSH-2.0-x\r\n")));
    assert.match(await outcome(http(), other), /^failed/);
    const half = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("well");
      setTimeout(() => response.destroy(), 50);
    });
    assert.match(await outcome(http({ matches: pattern(/well/) }), half), /^failed/);
    const closing = await listen(createTcpServer((socket) => socket.destroy()));
    assert.match(await outcome(http(), closing), /^failed/);
  });

  it("read a bounded part of the body, and do not judge the rest", async () => {
    const long = await serve((_request, response) => response.end(`start${"x".repeat(3 << 20)}end`));
    assert.equal(await outcome(http({ matches: pattern(/^start/) }), long), "passed");
    assert.match(await outcome(http({ matches: pattern(/end$/) }), long), /^inconclusive/);
    assert.match(await outcome(http({ forbidden: pattern(/end$/) }), long), /^inconclusive/);
    const packed = await serve((_request, response) => response.setHeader("content-encoding", "br").end("?"));
    assert.match(await outcome(http({ forbidden: pattern(/x/) }), packed), /^inconclusive/);
  });

  it("read when a certificate expires, without trusting it, by the name of the host", async () => {
    const { key, cert } = await makeCertificate(10);
    const names: (string | false | null | undefined)[] = [];
    const server = createTlsServer({ key, cert }, (_request, response) => response.end("well"));
    server.on("secureConnection", (socket) => names.push(socket.servername));
    const web = { ...(await listen(server)), startedAtMs: Date.now() };
    const day = 86_400_000;
    assert.equal(await outcome(http({ tls: true, validForMs: 9 * day }), web), "passed");
    assert.match(await outcome(http({ tls: true, validForMs: 11 * day }), web), /^failed: the certificate expires/);
    assert.equal(await outcome(http({ tls: true, host: "10.0.0.1" }), web), "passed");
    assert.deepEqual(names, ["web1.example", "web1.example", false]);
    assert.match(await outcome(http({ tls: false }), web), /^failed/);
  }).timeout(20_000);
});

async function makeCertificate(days: number): Promise<{ key: string; cert: string }> {
  const folder = await makeTemporaryFolder("certificate");
  try {
    const [keyPath, certPath] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", String(days)];
    const names = ["-subj", "/CN=somebody-else.example", "-keyout", keyPath, "-out", certPath];
    await promisify(execFile)("openssl", ["req", "-x509", ...kind, ...names]);
    return { key: await readFile(keyPath, "utf8"), cert: await readFile(certPath, "utf8") };
  } finally {
    await folder.remove();
  }
}
