import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningMachine, type StartRequest, startMachine } from "../../core/hypervisor/machine.js";
import { NIC_MODELS, SCSI_CONTROLLERS } from "../../core/hypervisor/machineShape.js";
import { isBlank } from "../../core/hypervisor/picture.js";
import { createRunFolder, type RunFolder } from "../../core/hypervisor/runFolder.js";
import type { NbdServer } from "../../core/nbd/server.js";
import { tinyGuest } from "../fixtures/guests.js";
import { assertCode } from "../support/assertCode.js";
import { BOOT_MS, diskShape, EMULATED, serveRawFile, tinyShape } from "../support/tinyMachine.js";

const MIB = 1024 * 1024;
const EXEC_MS = 120_000;

describe("machine", function () {
  this.timeout(BOOT_MS + 60_000);
  let folder: RunFolder;
  let guest: string;
  let served: NbdServer;
  const machines: RunningMachine[] = [];

  before(async () => {
    guest = await tinyGuest();
    folder = await createRunFolder();
    served = await serveRawFile(guest, folder.child("disks.sock"));
  });
  after(async () => {
    for (const machine of machines) await machine.stop();
    await served.close();
    await folder.remove();
  });

  async function start(changes: Partial<StartRequest> = {}): Promise<RunningMachine> {
    const machine = await startMachine({
      name: "vm/tiny",
      shape: tinyShape(),
      disks: [{ name: "root", way: "nbd", socketPath: folder.child("disks.sock"), exportName: "root" }],
      accelerator: EMULATED,
      network: {
        mode: "isolated",
        subnet: "192.168.7.0/24",
        gateway: "192.168.7.1",
        forwards: [{ guestPort: 80 }, { guestPort: 81 }],
      },
      runFolder: folder,
      ...changes,
    });
    machines.push(machine);
    return machine;
  }

  describe("over a disk that is served, alone in its network", () => {
    let machine: RunningMachine;
    let listener: Server;
    let reached = 0;
    let digest: string;

    const run = (script: string) => machine.agent.exec(["/bin/sh", "-c", script], { timeoutMs: EXEC_MS });
    const digestOfGuest = async () =>
      createHash("sha256")
        .update(await readFile(guest))
        .digest("hex");

    before(async () => {
      digest = await digestOfGuest();
      listener = createServer((socket) => {
        reached++;
        socket.destroy();
      });
      await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
      machine = await start({ overlayBytes: 24 * MIB });
    });
    after(() => listener.close());

    it("boots to its marker, with the address of its own network", async () => {
      const { text, atMs } = await machine.serial.waitFor(/^FIXTURE-READY /, { timeoutMs: BOOT_MS });
      assert.match(text, /boots=1 data=ok nic=eth0 addr=192\.168\.7\.15\/24/);
      assert.ok(atMs > machine.poweredOnAtMs);
      assert.deepEqual(machine.notes, []);
      assert.match(machine.version, /^\d+\.\d+/);
      assert.equal(machine.reboots, 0);
    });

    it("answers through its agent", async () => {
      assert.equal((await machine.agent.osInfo()).id, "tiny");
      const { exitCode, stdout, stderr } = await run("echo out; echo err >&2; exit 3");
      assert.deepEqual([exitCode, stdout, stderr], [3, "out\n", "err\n"]);
      const cards = await machine.agent.networkInterfaces();
      assert.ok(cards.some(({ addresses }) => addresses.includes("192.168.7.15/24")));
      await assertCode(machine.agent.exec(["/bin/nothing"], { timeoutMs: EXEC_MS }), "GUEST_AGENT_REFUSED");
      const large = await run("head -c 3000000 /dev/zero | tr '\\0' x");
      assert.ok(large.truncated && large.stdout.length === MIB);
    });

    it("serves through a port of ours, and the hypervisor knows whether it really does", async () => {
      const answer = await fetch(`http://127.0.0.1:${machine.hostPort(80)}/cgi-bin/health`);
      assert.equal(((await answer.json()) as { status: string }).status, "ok");
      const [open, closed] = [connect(machine.hostPort(80), "127.0.0.1"), connect(machine.hostPort(81), "127.0.0.1")];
      try {
        for (const socket of [open, closed]) socket.on("error", () => {});
        let established: number | null = 0;
        for (let round = 0; round < 100 && established !== 1; round++) {
          await sleep(200);
          established = await machine.establishedConnections(80);
        }
        assert.equal(established, 1);
        assert.equal(await machine.establishedConnections(81), 0);
        assert.equal(await machine.establishedConnections(82), null);
      } finally {
        open.destroy();
        closed.destroy();
      }
      await assertCode((async () => machine.hostPort(82))(), "PORT_NOT_FORWARDED");
    });

    it("reaches neither this host nor anything behind it", async () => {
      const { port } = listener.address() as { port: number };
      const { stdout } = await run(
        [
          `nc -w 5 192.168.7.1 ${port} </dev/null`,
          "nc -w 5 198.51.100.1 80 </dev/null",
          "nslookup example.org 192.168.7.3",
        ]
          .map((command) => `${command} >/dev/null 2>&1 && echo reached || echo no`)
          .join("; "),
      );
      assert.equal(stdout, "no\nno\nno\n");
      assert.equal(reached, 0);
      assert.ok(machine.arguments.some((word) => /^user,.*restrict=on,ipv6=off/.test(word)));
    });

    it("has no right that it does not need", async () => {
      const status = await readFile(`/proc/${machine.pid}/status`, "utf8");
      assert.match(status, /^CapEff:\t0+$/m);
      assert.match(status, /^NoNewPrivs:\t1$/m);
      assert.match(status, /^Seccomp:\t2$/m);
    });

    it("shows its screen", async () => {
      const [picture] = await Promise.all([machine.screenshot(), machine.screenshot()]);
      assert.ok(picture.width >= 640 && picture.rgb.length === picture.width * picture.height * 3);
      assert.ok(!isBlank(picture));
      assert.deepEqual([...picture.png.subarray(1, 4)], [...Buffer.from("PNG")]);
    });

    it("writes to an overlay only, and ends when that is full", async () => {
      await machine.agent.command("guest-exec", {
        path: "/bin/sh",
        arg: ["-c", "dd if=/dev/zero bs=1M count=100 | tr '\\0' x >/data/big; sync"],
      });
      const { kind, description, exitCode } = await machine.end;
      assert.equal(kind, "disk-error", description);
      assert.match(description, /could not be written .*no space/);
      assert.equal(exitCode, 0);
      assert.equal(await digestOfGuest(), digest);
      await assertCode(machine.screenshot(), "MACHINE_ENDED");
      await assertCode(machine.agent.ping(), "GUEST_AGENT_SILENT");
      await machine.stop();
      assert.ok(!existsSync(`/proc/${machine.pid}`));
    });
  });

  it("without the driver for its disk finds no root, and powers itself off", async () => {
    const machine = await start({
      shape: tinyShape({ machineType: "q35", disks: [diskShape("sata")] }),
      network: { mode: "none" },
    });
    await machine.serial.waitFor(/^INITRD: NO ROOT/, { timeoutMs: BOOT_MS });
    assert.equal((await machine.end).kind, "powered-off");
    assert.deepEqual(machine.notes, ["no network card"]);
  });

  it("that prints hostile text and panics is only text, and has panicked", async () => {
    const path = await tinyGuest({ words: "app.hostile=1 app.panic=1 app.ga=0", format: "qcow2" });
    const machine = await start({ disks: [{ name: "root", way: "file", path, format: "qcow2" }] });
    const end = await machine.end;
    assert.equal(end.kind, "panicked", end.description);
    assert.ok(end.lastScreenshot !== null && !isBlank(end.lastScreenshot));
    const lines = machine.serial.lines.map(({ text }) => text);
    assert.ok(lines.includes("red"), "without its colour");
    assert.ok(lines.includes("<script>alert(1)</script><img src=x onerror=alert(2)>"));
    assert.ok(lines.every((text) => !/[\p{Cc}\p{Cf}]/u.test(text) && text.length <= 4096));
    assert.ok(machine.serial.byteCount > 100_000);
  });

  it("whose disk cannot be read ends with that", async () => {
    const failing = await serveRawFile(guest, folder.child("failing.sock"), (offset) => offset < 4096);
    try {
      const disk = { name: "root", way: "nbd", socketPath: folder.child("failing.sock"), exportName: "root" } as const;
      const { kind, description } = await (await start({ disks: [disk] })).end;
      assert.equal(kind, "disk-error");
      assert.match(description, /could not be read \(disk0\)/);
    } finally {
      await failing.close();
    }
  });

  it("that is killed has crashed, and one that is stopped was stopped", async () => {
    const [killed, stopped] = [await start(), await start()];
    process.kill(killed.pid, "SIGKILL");
    const { kind, signalName, description } = await killed.end;
    assert.deepEqual([kind, signalName], ["crashed", "SIGKILL"], description);
    await stopped.stop();
    assert.equal((await stopped.end).kind, "killed");
    await stopped.stop();
  });

  it("that cannot be started leaves nothing behind but QEMU's words", async () => {
    const missing = {
      name: "root",
      way: "nbd",
      socketPath: folder.child("disks.sock"),
      exportName: "nothing",
    } as const;
    await assertCode(start({ disks: [missing] }), "NBD_FAILED");
    await assertCode(start({ disks: [] }), "MACHINE_SHAPE_INVALID");
    await assertCode(start({ shape: tinyShape({ memoryMiB: 4_000_000 }) }), "HYPERVISOR_FAILED");
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 30);
    await assert.rejects(
      startMachine(
        {
          name: "x",
          shape: tinyShape(),
          disks: [{ name: "root", way: "file", path: guest, format: "raw" }],
          accelerator: EMULATED,
          network: { mode: "none" },
          runFolder: folder,
        },
        { signal: abort.signal },
      ),
      { name: "AbortError" },
    );
  });

  it("is accepted by QEMU with every bus and every card", async () => {
    const buses = ["virtio", "sata", "ide", "nvme"] as const;
    const scsi = SCSI_CONTROLLERS.map((controller) => ({ name: controller, bus: "scsi" as const, controller }));
    const disks = [...buses.map((bus) => diskShape(bus, bus)), ...scsi];
    const nics = NIC_MODELS.map((model) => ({ model, mac: null }));
    for (const machineType of ["pc", "q35"]) {
      const machine = await start({
        shape: tinyShape({ machineType, disks, nics, cpus: 2, clock: "localtime" }),
        disks: disks.map(({ name }) => ({ name, way: "file", path: guest, format: "raw" })),
      });
      assert.ok(machine.hostPort(80) > 0);
      await machine.stop();
    }
  });

  it("does not start anything unsigned with secure boot", async () => {
    const firmware = { kind: "uefi", secureBoot: true, variablesArchive: null } as const;
    const machine = await start({ shape: tinyShape({ machineType: "q35", firmware }), network: { mode: "none" } });
    await machine.serial.waitFor(/Access Denied|Security Violation/, { timeoutMs: BOOT_MS });
    await machine.stop();
  });

  it("boots by UEFI with a TPM, from SCSI", async () => {
    const shape = tinyShape({
      machineType: "q35",
      firmware: { kind: "uefi", secureBoot: false, variablesArchive: null },
      tpm: true,
      disks: [diskShape("scsi")],
    });
    const machine = await start({ shape, disks: [{ name: "root", way: "file", path: guest, format: "raw" }] });
    await machine.serial.waitFor(/^FIXTURE-READY /, { timeoutMs: BOOT_MS });
    const { stdout } = await machine.agent.exec(
      ["/bin/sh", "-c", "ls -d /sys/firmware/efi /sys/bus/acpi/devices/MSFT0101:00"],
      { timeoutMs: EXEC_MS },
    );
    assert.deepEqual(stdout.split("\n").sort(), ["", "/sys/bus/acpi/devices/MSFT0101:00", "/sys/firmware/efi"]);
    await machine.stop();
    assert.equal(await machine.end.then(({ kind }) => kind), "killed");
  });
});
