import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { QmpClient } from "../../core/hypervisor/qmpClient.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 2, "minor": 1, "major": 9}, "package": "x\\u001b[2J"}, "capabilities": []}}\r\n';

describe("QMP client", () => {
  let folder: TemporaryFolder;
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  let count = 0;

  before(async () => {
    folder = await makeTemporaryFolder("qmp");
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });
  after(() => folder.remove());

  /** A monitor that greets, and answers each command by `answer`: what to write. */
  async function monitor(answer: (command: string, id: number) => string, greet = greeting): Promise<string> {
    const path = join(folder.path, `${++count}`);
    const server = createServer((socket) => {
      sockets.add(socket.on("error", () => {}));
      socket.write(greet);
      socket.on("data", (chunk) => {
        for (const line of String(chunk).trim().split("\n")) {
          const { execute, id } = JSON.parse(line);
          socket.write(execute === "qmp_capabilities" ? `{"return": {}, "id": ${id}}\r\n` : answer(execute, id));
        }
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  }

  it("matches answers by id, gives events out, and tells of refusals", async () => {
    const path = await monitor((command, id) => {
      if (command === "no") return `{"id": ${id}, "error": {"class": "GenericError", "desc": "not\\u0007now"}}\r\n`;
      return `{"event": "STOP", "data": {"x": 1}, "timestamp": {}}\r\n{"return": "${command}", "id": ${id}}\r\n`;
    });
    const client = await QmpClient.connect(path);
    assert.equal(client.version, "9.1.2 (x [2J)");
    const seen: string[] = [];
    client.onEvent(({ name }) => seen.push(name));
    assert.deepEqual(await Promise.all([client.execute("a"), client.execute("b")]), ["a", "b"]);
    assert.deepEqual(seen, ["STOP", "STOP"]);
    assert.deepEqual(client.events[0]?.data, { x: 1 });
    const { message, data } = await assertCode(client.execute("no"), "QMP_FAILED");
    assert.match(message, /not now/);
    assert.equal(data.class, "GenericError");
    client.close();
    await assertCode(client.execute("a"), "QMP_FAILED");
  });

  it("does not wait for ever: for a greeting, for an answer, for a line's end", async () => {
    await assertCode(QmpClient.connect(await monitor(() => "", ""), { timeoutMs: 50 }), "QMP_FAILED");
    await assertCode(QmpClient.connect(join(folder.path, "nothing")), "QMP_FAILED");
    const silent = await QmpClient.connect(await monitor(() => ""));
    await assertCode(silent.execute("x", {}, { timeoutMs: 50 }), "QMP_FAILED");
    await assert.rejects(silent.execute("x", {}, { signal: AbortSignal.timeout(20) }), { name: "TimeoutError" });
    const endless = await QmpClient.connect(await monitor(() => "x".repeat(9 * 1024 * 1024)));
    await assertCode(endless.execute("x"), "QMP_PROTOCOL");
    await endless.closed;
    const garbage = await QmpClient.connect(await monitor(() => "[1]\n"));
    await assertCode(garbage.execute("x"), "QMP_PROTOCOL");
  });
});
