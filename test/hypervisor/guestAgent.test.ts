import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { GuestAgent } from "../../core/hypervisor/guestAgent.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

type Reply = (request: { execute: string; arguments: Record<string, unknown> }, socket: Socket) => unknown;

describe("guest agent client", function () {
  this.timeout(20_000);
  let folder: TemporaryFolder;
  let server: Server | undefined;
  let agent: GuestAgent | undefined;
  let count = 0;

  before(async () => {
    folder = await makeTemporaryFolder("agent");
  });
  afterEach(() => {
    agent?.close();
    server?.close();
  });
  after(() => folder.remove());

  /** An agent that synchronizes and answers by `reply`; undefined: with silence. */
  async function start(reply: Reply, { synchronizes = true } = {}): Promise<GuestAgent> {
    const path = join(folder.path, `${++count}`);
    server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        for (const line of chunk.toString("latin1").replaceAll("\xff", "").trim().split("\n")) {
          const request = JSON.parse(line);
          const isSync = request.execute === "guest-sync-delimited";
          if (isSync && !synchronizes) continue;
          const answer = isSync ? { return: request.arguments.id } : reply(request, socket);
          if (isSync) socket.write(Uint8Array.of(0xff));
          if (answer !== undefined) socket.write(`${JSON.stringify(answer)}\n`);
        }
      });
    });
    await new Promise<void>((resolve) => server?.listen(path, resolve));
    const socket = connect(path);
    await once(socket, "connect");
    agent = new GuestAgent(socket);
    return agent;
  }

  it("runs a program, its output decoded and bounded", async () => {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    let asked = 0;
    const subject = await start(({ execute, arguments: args }) => {
      if (execute === "guest-exec") {
        assert.deepEqual(args, { path: "/bin/x", arg: ["a b"], "capture-output": true, "input-data": "aGk=" });
        return { return: { pid: 7 } };
      }
      if (++asked === 1) return { return: { exited: false } };
      return {
        return: { exited: true, exitcode: 3, "out-data": base64("ö".repeat(900_000)), "err-data": base64("no") },
      };
    });
    const result = await subject.exec(["/bin/x", "a b"], { timeoutMs: 5000, input: Buffer.from("hi") });
    assert.deepEqual([result.exitCode, result.stderr, result.truncated], [3, "no", true]);
    assert.ok(result.stdout.startsWith("öö") && result.stdout.length < 600_000);
  });

  it("is silent, refused or broken, and talks again afterwards", async () => {
    let mode = "silent";
    const subject = await start((_, socket) => {
      if (mode === "silent") return undefined;
      if (mode === "refuses") return { error: { class: "GenericError", desc: "disabled\x1b[2J" } };
      if (mode === "garbage") socket.write("{]\n");
      if (mode === "late") setTimeout(() => socket.write('{"return": "late"}\n'), 150);
      return mode === "fine" ? { return: { id: "tiny", name: 5 } } : undefined;
    });
    await assertCode(subject.command("x", {}, { timeoutMs: 50 }), "GUEST_AGENT_SILENT");
    mode = "refuses";
    assert.match((await assertCode(subject.command("x"), "GUEST_AGENT_REFUSED")).message, /disabled \[2J$/);
    mode = "garbage";
    await assertCode(subject.command("x"), "GUEST_AGENT_PROTOCOL");
    mode = "late";
    await assertCode(subject.command("x", {}, { timeoutMs: 50 }), "GUEST_AGENT_SILENT");
    mode = "fine";
    const [, info] = await Promise.all([subject.ping(), subject.osInfo()]);
    assert.deepEqual([info.id, info.name], ["tiny", ""]);
  });

  it("does not take what is too long, or too much in a line", async () => {
    const large = "x".repeat(1024 * 1024);
    const subject = await start(({ execute }, socket) => {
      if (execute === "long") for (let round = 0; round < 49; round++) socket.write(large);
      if (execute === "many") socket.write(`{"return": [${"[],".repeat(500_000)}[]]}\n`);
      return undefined;
    });
    await assertCode(subject.command("many"), "GUEST_AGENT_PROTOCOL");
    await assertCode(subject.command("long"), "GUEST_AGENT_PROTOCOL");
  });

  it("finds no agent within its time, and the machine gone at once", async () => {
    const subject = await start(() => undefined, { synchronizes: false });
    await assertCode(subject.ping({ timeoutMs: 100 }), "GUEST_AGENT_SILENT");
    const waiting = assertCode(subject.command("x"), "GUEST_AGENT_SILENT");
    subject.close();
    await waiting;
  });

  it("believes nothing about network cards but what has the form of it", async () => {
    const subject = await start(() => ({
      return: [
        5,
        {
          name: "eth0\n::error::",
          "hardware-address": "52:54:00:12:34:56",
          "ip-addresses": [{ "ip-address": "10.0.2.15", prefix: 24 }, { "ip-address": "<b>", prefix: 1 }, null],
        },
      ],
    }));
    const [, card] = await subject.networkInterfaces();
    assert.deepEqual(card, { name: "eth0 ::error::", mac: "52:54:00:12:34:56", addresses: ["10.0.2.15/24"] });
  });
});
