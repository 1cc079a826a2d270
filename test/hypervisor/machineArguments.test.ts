import assert from "node:assert/strict";
import type { DiskLayer } from "../../core/hypervisor/diskArguments.js";
import { type MachinePlan, machineArguments } from "../../core/hypervisor/machineArguments.js";
import type { MachineShape, NicModel } from "../../core/hypervisor/machineShape.js";
import type { QemuProgram } from "../../core/hypervisor/qemuProgram.js";
import { assertCode } from "../support/assertCode.js";
import { diskShape, tinyShape } from "../support/tinyMachine.js";

const program: QemuProgram = {
  version: "7.2.22",
  major: 7,
  minor: 2,
  machineTypes: new Set(["pc", "q35", "pc-q35-7.2", "pc-i440fx-7.2", "microvm", "none"]),
  hasSandbox: true,
};

function planFor(changes: Partial<MachinePlan> = {}, shape: Partial<MachineShape> = {}): MachinePlan {
  const whole = tinyShape(shape);
  const disks = whole.disks.map(
    (disk, index): DiskLayer => ({
      disk: { name: disk.name, way: "nbd", socketPath: "/r/nbd,1", exportName: disk.name },
      shape: disk,
      overlayPath: `/r/o${index}`,
      overlayBytes: 1 << 30,
    }),
  );
  return {
    name: "vm/we,b 1",
    shape: whole,
    accelerator: "tcg",
    disks,
    network: { kind: "user", subnet: "10.0.2.0/24", gateway: "10.0.2.2", forwards: [{ guestPort: 80 }] },
    macs: whole.nics.map(() => "52:54:00:00:00:01"),
    onDiskError: "stop",
    endsOnReboot: true,
    firmware: null,
    sockets: { qmp: "/r/q", serial: "/r/s", agent: "/r/a", tpm: null, vnc: null },
    ...changes,
  };
}

const build = (changes: Partial<MachinePlan> = {}, shape: Partial<MachineShape> = {}) =>
  machineArguments(planFor(changes, shape), program);

/** The JSON values of an option. */
function valuesOf(args: readonly string[], option: string): Record<string, unknown>[] {
  return args
    .filter((arg, index) => args[index - 1] === option && arg.startsWith("{"))
    .map((arg) => JSON.parse(arg) as Record<string, unknown>);
}

function diskDevices(args: readonly string[]): Record<string, unknown>[] {
  return valuesOf(args, "-device").filter(({ drive }) => drive !== undefined);
}

describe("arguments of QEMU", () => {
  it("shut the machine in, whatever its shape", () => {
    const { arguments: args, notes } = build();
    const line = ` ${args.join(" ")} `;
    for (const words of [
      "-nodefaults -no-user-config -S",
      "-display none -vga std",
      "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      "-action reboot=shutdown,shutdown=pause,panic=pause -no-reboot",
      "-accel tcg,thread=multi,tb-size=128 -cpu max -m 256 -smp 1",
      "-name guest=vm-we-b-1",
      "-machine pc ",
      "-netdev user,id=net0,restrict=on,ipv6=off,net=10.0.2.0/24,host=10.0.2.2,dns=10.0.2.3,dhcpstart=10.0.2.15,hostfwd=tcp:127.0.0.1:0-:80 ",
    ])
      assert.ok(line.includes(` ${words}`), words);
    assert.deepEqual(notes, []);
    assert.deepEqual(build({ network: { kind: "none" } }).notes, ["no network card"]);
    const alone = build({ network: { kind: "none" } }).arguments;
    assert.ok(!alone.includes("-netdev") && alone.join(" ").includes("-nic none"));
    const grouped = build(
      { network: { kind: "hub", socketPath: "/r/h,1" } },
      { nics: [0, 1].map(() => ({ model: "e1000", mac: null })) },
    );
    assert.deepEqual(
      grouped.arguments.filter((_, index) => grouped.arguments[index - 1] === "-netdev"),
      ["stream,id=net0,server=off,addr.type=unix,addr.path=/r/h,,1", "hubport,id=net1,hubid=1"],
    );
  });

  it("read the disk's source only, and bound the overlay", () => {
    const nodes = valuesOf(build().arguments, "-blockdev");
    assert.deepEqual(
      nodes.map((node) => [node["node-name"], node.driver, node["read-only"] ?? false]),
      [
        ["disk0-source", "nbd", true],
        ["disk0-file", "file", false],
        ["disk0-bounded", "raw", false],
        ["disk0", "qcow2", false],
      ],
    );
    assert.deepEqual(nodes[0]?.server, { type: "unix", path: "/r/nbd,1" });
    assert.equal(nodes[2]?.size, 1 << 30);
    assert.equal(nodes[3]?.backing, "disk0-source");
    const layer = planFor().disks[0] as DiskLayer;
    const file = { ...layer, disk: { name: "root", way: "file", path: "/x.qcow2", format: "qcow2" } as const };
    const [source] = valuesOf(build({ disks: [file] }).arguments, "-blockdev");
    assert.deepEqual([source?.driver, source?.backing, source?.["read-only"]], ["qcow2", null, true]);
  });

  it("put each disk on its bus, in the order of booting", () => {
    const many = (bus: Parameters<typeof diskShape>[0], count: number) =>
      Array.from({ length: count }, (_, index) => diskShape(bus, `d${index}`));
    const place = (bus: Parameters<typeof diskShape>[0], machineType: string, count = 1) =>
      diskDevices(build({}, { machineType, disks: many(bus, count) }).arguments).map((device) =>
        [device.driver, device.bus, device.unit ?? device["scsi-id"]].filter((word) => word !== undefined).join(" "),
      );
    assert.deepEqual(place("virtio", "pc", 2), ["virtio-blk-pci", "virtio-blk-pci"]);
    assert.deepEqual(place("nvme", "q35"), ["nvme"]);
    assert.deepEqual(place("ide", "pc", 3), ["ide-hd ide.0 0", "ide-hd ide.0 1", "ide-hd ide.1 0"]);
    assert.deepEqual(place("ide", "q35"), ["ide-hd ide.0 0"]);
    assert.deepEqual(place("sata", "pc", 2), ["ide-hd ahci-0.0 0", "ide-hd ahci-0.1 0"]);
    assert.deepEqual(place("sata", "q35", 7).slice(5), ["ide-hd ide.5 0", "ide-hd ahci-1.0 0"]);
    assert.deepEqual(place("scsi", "pc", 7).slice(5), ["scsi-hd virtio-0.0 5", "scsi-hd virtio-1.0 0"]);
    const devices = diskDevices(build({}, { disks: many("virtio", 2) }).arguments);
    assert.deepEqual(
      devices.map(({ bootindex, serial }) => [bootindex, serial]),
      [
        [1, "d0-0"],
        [2, "d1-1"],
      ],
    );
    assert.deepEqual(devices.map(({ rerror, werror }) => [rerror, werror])[0], ["stop", "stop"]);
    const [lsi] = valuesOf(
      build({}, { disks: [{ ...diskShape("scsi"), controller: "lsi53c895a" }] }).arguments,
      "-device",
    );
    assert.equal(lsi?.driver, "lsi53c895a");
  });

  it("know every network card", () => {
    const models: NicModel[] = ["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3"];
    const nics = models.map((model) => ({ model, mac: null }));
    const { arguments: args, notes } = build({}, { nics });
    const cards = valuesOf(args, "-device").filter(({ netdev }) => netdev !== undefined);
    assert.deepEqual(
      cards.map(({ driver }) => driver),
      ["virtio-net-pci", "e1000", "e1000e", "rtl8139", "vmxnet3"],
    );
    assert.ok(cards.every(({ romfile, mac }) => romfile === "" && mac === "52:54:00:00:00:01"));
    assert.deepEqual(notes, ["network cards 2 to 5 are connected to nothing"]);
  });

  it("take firmware, TPM, clock, uuid and another processor", () => {
    const firmware = { codePath: "/fw/code", variablesPath: "/r/vars", needsSmm: true };
    const uuid = "0b3ad0f6-3f0e-4b56-9d0f-0a3c5b1d9e11";
    const sockets = { ...planFor().sockets, tpm: "/r/t" };
    const line = build(
      { firmware, sockets, accelerator: "kvm", endsOnReboot: false },
      { machineType: "pc-q35-7.2", tpm: true, clock: "localtime", uuid },
    ).arguments.join(" ");
    for (const words of [
      "-machine pc-q35-7.2,pflash0=flash-code,pflash1=flash-variables,smm=on",
      "-global driver=cfi.pflash01,property=secure,value=on",
      "-tpmdev emulator,id=tpm0,chardev=tpm -device tpm-crb,tpmdev=tpm0",
      "-rtc base=localtime",
      `-uuid ${uuid}`,
      "-accel kvm -cpu host",
      "-action reboot=reset,",
    ])
      assert.ok(line.includes(words), words);
    assert.ok(!line.includes("-no-reboot"));
  });

  it("replace machine types that this QEMU lacks, and say so", () => {
    const typeOf = (machineType: string) => {
      const { arguments: args, notes } = build({}, { machineType });
      return [args[args.indexOf("-machine") + 1], notes.length];
    };
    assert.deepEqual(typeOf("pc-q35-7.2+pve0"), ["pc-q35-7.2", 0]);
    assert.deepEqual(typeOf("pc-q35-9.2"), ["q35", 1]);
    assert.deepEqual(typeOf("pc-i440fx-9.0+pve1"), ["pc", 1]);
    assert.deepEqual(typeOf("microvm"), ["pc", 1]);
    assert.deepEqual(typeOf("none"), ["pc", 1]);
  });

  it("are not made of what no machine can have", async () => {
    for (const shape of [
      { memoryMiB: 0 },
      { memoryMiB: 1.5 },
      { cpus: 256 },
      { disks: [] },
      { machineType: "pc,accel=kvm" },
      { uuid: "x" },
      { disks: Array.from({ length: 5 }, () => diskShape("ide")) },
    ])
      await assertCode((async () => build({}, shape))(), "MACHINE_SHAPE_INVALID", JSON.stringify(shape));
    for (const forward of [{ guestPort: 0 }, { guestPort: 80, guestAddress: "1.2.3.4,hostfwd=x" }]) {
      const network = { kind: "user", subnet: "10.0.2.0/24", gateway: "10.0.2.2", forwards: [forward] } as const;
      await assertCode((async () => build({ network }))(), "MACHINE_SHAPE_INVALID");
    }
  });
});
