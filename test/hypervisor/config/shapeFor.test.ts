import assert from "node:assert/strict";
import fc from "fast-check";
import { parseLibvirtDomain } from "../../../core/hypervisor/config/libvirtDomain.js";
import { parseProxmoxConfig } from "../../../core/hypervisor/config/proxmoxConfig.js";
import { type HardwareWishes, type SnapshotArchive, shapeFor } from "../../../core/hypervisor/config/shapeFor.js";
import { LIBVIRT, PROXMOX } from "./configText.js";

const NO_WISHES: HardwareWishes = {
  memoryMiB: null,
  cpus: null,
  machineType: null,
  firmware: null,
  secureBoot: null,
  tpm: null,
  diskBus: null,
  nicModel: null,
};

const image = (name: string, sizeBytes = 1 << 30): SnapshotArchive => ({ name, kind: "image", sizeBytes });

describe("shapeFor", () => {
  it("has defaults for a machine of which nothing is known", () => {
    const { shape, notes } = shapeFor({ config: null, wishes: NO_WISHES, archives: [image("a"), image("b")] });
    assert.deepEqual(shape, {
      memoryMiB: 512,
      cpus: 1,
      machineType: "pc",
      firmware: { kind: "bios", secureBoot: false, variablesArchive: null },
      tpm: false,
      clock: "utc",
      disks: [
        { name: "a", bus: "virtio", controller: "virtio-scsi-pci" },
        { name: "b", bus: "virtio", controller: "virtio-scsi-pci" },
      ],
      nics: [{ model: "virtio", mac: null }],
      uuid: null,
    });
    assert.match(notes.join(), /no machine configuration in the snapshot: default hardware/);
  });

  it("finds a Proxmox machine's disks, variables and TPM state among the archives", () => {
    const archives = [
      image("drive-efidisk0", 540_672),
      image("drive-scsi0"),
      image("drive-tpmstate0-backup", 4 << 20),
      image("drive-virtio1"),
      { name: "qemu-server.conf", kind: "file" as const, sizeBytes: 900 },
    ];
    const { shape, notes } = shapeFor({ config: parseProxmoxConfig(PROXMOX), wishes: NO_WISHES, archives });
    assert.deepEqual(
      shape.disks.map(({ name, bus }) => [name, bus]),
      [
        ["drive-virtio1", "virtio"],
        ["drive-scsi0", "scsi"],
      ],
    );
    assert.equal(shape.firmware.variablesArchive, "drive-efidisk0");
    assert.deepEqual([shape.memoryMiB, shape.cpus], [4096, 4]);
    assert.match(notes.join("\n"), /memory: 4096 MiB instead of 16384 MiB/);
    assert.match(notes.join("\n"), /processors: 4 instead of 6/);
    assert.match(notes.join("\n"), /drive-tpmstate0-backup: the TPM's state is not used/);
    assert.match(notes.join("\n"), /own QEMU arguments/);
  });

  it("finds disks by volume, by file name, and else by their order", async () => {
    const proxmox = parseProxmoxConfig(PROXMOX);
    const byVolume = shapeFor({
      config: proxmox,
      wishes: NO_WISHES,
      archives: [image("vm-100-disk-3"), image("VM-100-disk-1.raw")],
    });
    assert.deepEqual(
      byVolume.shape.disks.map(({ name }) => name),
      ["vm-100-disk-3", "VM-100-disk-1.raw"],
    );
    const libvirt = await parseLibvirtDomain(LIBVIRT);
    const byFile = shapeFor({
      config: libvirt,
      wishes: NO_WISHES,
      archives: [image("data"), image("web1"), image("more")],
    });
    assert.deepEqual(
      byFile.shape.disks.map(({ name, bus }) => [name, bus]),
      [
        ["web1", "virtio"],
        ["data", "scsi"],
        ["more", "virtio"],
      ],
    );
    assert.match(byFile.notes.join("\n"), /more: not in the machine's configuration/);
    const byOrder = shapeFor({ config: libvirt, wishes: NO_WISHES, archives: [image("x"), image("y")] });
    assert.deepEqual(
      byOrder.shape.disks.map(({ name, bus }) => [name, bus]),
      [
        ["x", "virtio"],
        ["y", "scsi"],
      ],
    );
    assert.match(byOrder.notes.join("\n"), /x: taken for disk vda, by its place/);
    const lacking = shapeFor({ config: libvirt, wishes: NO_WISHES, archives: [image("data")] });
    assert.deepEqual(
      lacking.shape.disks.map(({ name }) => name),
      ["data"],
    );
    assert.match(lacking.notes.join("\n"), /disk vda of the configuration is not in the snapshot/);
  });

  it("uses UEFI variables of the right size only", async () => {
    const config = await parseLibvirtDomain(LIBVIRT);
    const variables = (sizeBytes: number) =>
      shapeFor({
        config,
        wishes: NO_WISHES,
        archives: [image("web1"), { name: "web1_VARS.fd", kind: "file", sizeBytes }],
      });
    assert.equal(variables(540_672).shape.firmware.variablesArchive, "web1_VARS.fd");
    assert.equal(variables(131_072).shape.firmware.variablesArchive, null);
    assert.match(variables(131_072).notes.join("\n"), /another firmware/);
    const none = shapeFor({ config, wishes: NO_WISHES, archives: [image("web1")] });
    assert.match(none.notes.join("\n"), /fresh ones/);
    const bios = shapeFor({ config, wishes: { ...NO_WISHES, firmware: "bios" }, archives: [image("web1")] });
    assert.deepEqual(bios.shape.firmware, { kind: "bios", secureBoot: false, variablesArchive: null });
  });

  it("does what the test asks, and says what that changes", () => {
    const wishes: HardwareWishes = {
      memoryMiB: 8192,
      cpus: 8,
      machineType: "q35",
      firmware: "uefi",
      secureBoot: false,
      tpm: false,
      diskBus: "sata",
      nicModel: "vmxnet3",
    };
    const archives = [image("drive-scsi0"), image("drive-virtio1")];
    const { shape, notes } = shapeFor({ config: parseProxmoxConfig(PROXMOX), wishes, archives });
    assert.deepEqual([shape.memoryMiB, shape.cpus, shape.machineType, shape.tpm], [8192, 8, "q35", false]);
    assert.ok(shape.disks.every(({ bus }) => bus === "sata"));
    assert.ok(shape.nics.every(({ model }) => model === "vmxnet3"));
    assert.equal(shape.nics[0]?.mac, "bc:24:11:aa:bb:cc");
    for (const expected of [
      "memory: 8192 MiB as the test asks, not 16384 MiB",
      "disk bus: sata as the test asks, not virtio",
      "secure boot: false",
    ]) {
      assert.ok(notes.join("\n").includes(expected), expected);
    }
  });

  it("attaches every image once, whatever the names, but for variables and TPM state", () => {
    const config = parseProxmoxConfig(PROXMOX);
    const names = fc.uniqueArray(
      fc.constantFrom(
        "scsi0",
        "drive-scsi0",
        "virtio1",
        "vm-100-disk-1",
        "vm-100-disk-0",
        "efidisk0",
        "tpmstate0",
        "x",
        "y",
        "scsi0.img",
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(names, fc.boolean(), (given, isKnown) => {
        const archives = given.map((name) => image(name, 540_672));
        const { shape } = shapeFor({ config: isKnown ? config : null, wishes: NO_WISHES, archives });
        const attached = shape.disks.map(({ name }) => name);
        assert.equal(new Set(attached).size, attached.length);
        const special = given.filter((name) => !attached.includes(name));
        assert.ok(special.length <= (isKnown ? 2 : 0), special.join());
        assert.ok(
          special.every((name) => /efidisk0|tpmstate0|disk-0/.test(name)),
          special.join(),
        );
      }),
    );
  });
});
