import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { type GroupHub, startHub } from "../../core/hypervisor/hub.js";
import { type RunningMachine, startMachine } from "../../core/hypervisor/machine.js";
import { createRunFolder, type RunFolder } from "../../core/hypervisor/runFolder.js";
import { tinyGuest } from "../fixtures/guests.js";
import { assertCode } from "../support/assertCode.js";
import { BOOT_MS, EMULATED, tinyShape } from "../support/tinyMachine.js";

const EXEC_MS = 120_000;
const subnet = "172.30.5.0/24";
const gateway = "172.30.5.1";

describe("hub of a group", function () {
  this.timeout(2 * BOOT_MS + 60_000);
  let folder: RunFolder;
  let hub: GroupHub;
  const machines: RunningMachine[] = [];

  before(async () => {
    folder = await createRunFolder();
    hub = await startHub({ runFolder: folder, subnet, gateway });
  });
  after(async () => {
    for (const machine of machines) await machine.stop();
    await hub.close();
    await hub.close();
    await folder.remove();
  });

  async function start(name: string, words: string): Promise<RunningMachine> {
    const machine = await startMachine({
      name,
      shape: tinyShape({ memoryMiB: 192 }),
      disks: [{ name: "root", way: "file", path: await tinyGuest({ hostname: name, words }), format: "raw" }],
      accelerator: EMULATED,
      network: { mode: "isolated", subnet, gateway, forwards: [{ guestPort: 80 }], hub },
      runFolder: folder,
      rebootsAllowed: name === "two" ? 0 : 1,
    });
    machines.push(machine);
    return machine;
  }

  it("lets two machines see one another and us in, and nobody out", async () => {
    let reached = 0;
    const listener = createServer((socket) => {
      reached++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    try {
      const [one, two] = [await start("one", ""), await start("two", "")];
      await assertEarlyConnectionCloses(one);
      const marker = (machine: RunningMachine) => machine.serial.waitFor(/^FIXTURE-READY /, { timeoutMs: BOOT_MS });
      const addresses = (await Promise.all([marker(one), marker(two)])).map(
        ({ text }) => /addr=(172\.30\.5\.\d+)\/24/.exec(text)?.[1] ?? text,
      );
      assert.equal(new Set(addresses).size, 2);
      for (const [machine, name] of [
        [one, "one"],
        [two, "two"],
      ] as const) {
        const page = await fetch(`http://127.0.0.1:${machine.hostPort(80)}/`);
        assert.equal(await page.text(), `fixture guest ${name} up\n`);
      }
      assert.equal(await one.establishedConnections(81), null);
      const { port } = listener.address() as { port: number };
      const script = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 10 ${addresses[1]} 80 | tail -n 1
        nc -w 5 ${gateway} ${port} </dev/null >/dev/null 2>&1 && echo reached
        nc -w 5 198.51.100.1 80 </dev/null >/dev/null 2>&1 && echo reached`;
      const { stdout } = await one.agent.exec(["/bin/sh", "-c", script], { timeoutMs: EXEC_MS });
      assert.equal(stdout, "fixture guest two up\n");
      assert.equal(reached, 0);
      await two.agent.command("guest-exec", { path: "/bin/shutdown-now", arg: ["reboot"] });
      assert.equal((await two.end).kind, "rebooted");
      await assertCode((async () => two.hostPort(80))(), "PORT_NOT_FORWARDED");
    } finally {
      listener.close();
    }
  });

  /** Nobody knows its address yet. */
  async function assertEarlyConnectionCloses(machine: RunningMachine): Promise<void> {
    const socket = connect(machine.hostPort(80), "127.0.0.1").on("error", () => {});
    await once(socket, "close");
    assert.equal(await machine.establishedConnections(80), 0);
  }
});
