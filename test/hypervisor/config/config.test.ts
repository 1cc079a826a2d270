import assert from "node:assert/strict";
import fc from "fast-check";
import { isOurError } from "../../../core/errors.js";
import { findMachineConfig } from "../../../core/hypervisor/config/findConfig.js";
import { parseLibvirtDomain } from "../../../core/hypervisor/config/libvirtDomain.js";
import { parseProxmoxConfig } from "../../../core/hypervisor/config/proxmoxConfig.js";
import { assertCode, assertThrowsCode } from "../../support/assertCode.js";
import { LIBVIRT, PROXMOX } from "./configText.js";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("parseProxmoxConfig", () => {
  it("reads a machine and leaves out what reaches out of it", () => {
    const config = parseProxmoxConfig(PROXMOX);
    assert.deepEqual(config.shape, {
      memoryMiB: 16384,
      cpus: 6,
      machineType: "pc-q35-8.1",
      firmware: { kind: "uefi", secureBoot: true, variablesArchive: null },
      tpm: true,
      clock: "localtime",
      disks: [
        { name: "virtio1", bus: "virtio", controller: "virtio-scsi-pci" },
        { name: "scsi0", bus: "scsi", controller: "virtio-scsi-pci" },
      ],
      nics: [
        { model: "virtio", mac: "bc:24:11:aa:bb:cc" },
        { model: "e1000", mac: "bc:24:11:aa:bb:cd" },
        { model: "e1000", mac: "bc:24:11:aa:bb:ce" },
      ],
      uuid: "4a4b4c4d-0000-4000-8000-000000000001",
    });
    assert.deepEqual(config.disks[1]?.names, ["scsi0", "drive-scsi0", "drive-scsi0-backup", "vm-100-disk-1"]);
    assert.equal(config.variables?.slot, "efidisk0");
    assert.equal(config.tpmState?.slot, "tpmstate0");
    const notes = config.notes.join("\n");
    for (const expected of [
      "args left out: own QEMU arguments are never passed on",
      "hookscript left out",
      "hostpci0 left out: passthrough",
      "usb0 left out: passthrough",
      "serial0 left out",
      "ide2: CD image left out (local:iso/debian-12.iso)",
      "scsi1: not backed up (backup=0)",
      "net0: not on the host's bridge vmbr0",
      "net1: was unplugged",
      "network card ne2k_pci: replaced by e1000",
      "processor host,flags=+aes",
    ]) {
      assert.ok(notes.includes(expected), `${expected} in\n${notes}`);
    }
    assert.ok(!notes.includes("-device evil"));
  });

  it("knows Proxmox's own defaults and older ways of writing", () => {
    const { shape } = parseProxmoxConfig(
      "memory: current=2048\nbootdisk: sata1\nsata0: a:b\nsata1: a:c\nscsi3: a:d\nostype: l26",
    );
    assert.equal(shape.memoryMiB, 2048);
    assert.equal(shape.cpus, 1);
    assert.equal(shape.machineType, "pc");
    assert.deepEqual(shape.firmware, { kind: "bios", secureBoot: false, variablesArchive: null });
    assert.equal(shape.clock, "utc");
    assert.deepEqual(
      shape.disks.map(({ name }) => name),
      ["sata1", "scsi3", "sata0"],
    );
    assert.equal(shape.disks[1]?.controller, "lsi53c895a");
    assert.deepEqual(shape.nics, []);
    assert.equal(shape.uuid, null);
    assert.ok(parseProxmoxConfig("cores: 999999999\nsockets: 999999999").shape.cpus <= 4096);
  });

  it("refuses what is no virtual machine", () => {
    for (const text of [
      "",
      "memory",
      "rootfs: a:b\nmemory: 512\nnet0: x\narch: amd64",
      "[OPTIONS]\nenable: 1",
      "{}",
      LIBVIRT,
    ]) {
      assertThrowsCode(() => parseProxmoxConfig(text), "MACHINE_CONFIG_INVALID", text.slice(0, 20));
    }
    assertThrowsCode(() => parseProxmoxConfig(PROXMOX + "#".repeat(1_100_000)), "MACHINE_CONFIG_INVALID");
  });
});

describe("parseLibvirtDomain", () => {
  it("reads a machine and leaves out what reaches out of it", async () => {
    const config = await parseLibvirtDomain(LIBVIRT);
    assert.deepEqual(config.shape, {
      memoryMiB: 2048,
      cpus: 2,
      machineType: "pc-q35-7.2",
      firmware: { kind: "uefi", secureBoot: true, variablesArchive: null },
      tpm: true,
      clock: "localtime",
      disks: [
        { name: "vda", bus: "virtio", controller: "virtio-scsi-pci" },
        { name: "sda", bus: "scsi", controller: "megasas" },
      ],
      nics: [
        { model: "e1000e", mac: "52:54:00:11:22:33" },
        { model: "rtl8139", mac: null },
      ],
      uuid: "4a4b4c4d-0000-4000-8000-000000000001",
    });
    assert.deepEqual(
      config.disks.map(({ names }) => names),
      [
        ["vda", "web1.qcow2", "web1"],
        ["sda", "data"],
      ],
    );
    assert.deepEqual(config.variables?.names, ["web1_VARS.fd", "web1_VARS", "nvram"]);
    const notes = config.notes.join("\n");
    for (const expected of [
      "hostdev left out",
      "filesystem left out",
      "sdb left out: cdrom",
      "sdc left out: passthrough",
      "own QEMU arguments",
      "bridge br0",
    ]) {
      assert.ok(notes.includes(expected), `${expected} in\n${notes}`);
    }
  });

  it("refuses entities, document types and what is no domain", async () => {
    const laughs = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><domain><name>&b;</name></domain>';
    const outside = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain>&x;</domain>';
    const bad = [laughs, outside, "", "<domain>", "<network/>", "<domain/><domain/>", "text", "<domain a='1' a='2'/>"];
    for (const xml of bad) await assertCode(parseLibvirtDomain(xml), "MACHINE_CONFIG_INVALID", xml);
    const kept = await parseLibvirtDomain("<domain><name>&b;</name><uuid>&lt;&#x41;</uuid></domain>");
    assert.match(kept.notes.join(), /uuid "<A" is none/);
  });

  it("withstands large and deep documents", async () => {
    const documents = [
      "<a>".repeat(200_000),
      `<domain>${"<a>".repeat(100)}${"</a>".repeat(100)}</domain>`,
      `<domain ${"a='1' ".repeat(100_000)}/>`,
      `<domain>${"<!--".repeat(200_000)}</domain>`,
      `<domain>${"<![CDATA[".repeat(100_000)}</domain>`,
      `<domain>${"&amp;".repeat(190_000)}</domain>`,
      `<domain>${"<x/>".repeat(200_000)}</domain>`,
      `<domain><${"n".repeat(900_000)}/></domain>`,
      `<domain a="${" ".repeat(900_000)}"/>`,
      `<domain${" ".repeat(900_000)}`,
      `<domain>${"<".repeat(900_000)}`,
      "<domain".repeat(140_000),
    ];
    for (const xml of documents) {
      const startedAt = performance.now();
      await parseLibvirtDomain(xml).catch((error: unknown) =>
        assert.ok(isOurError(error, "MACHINE_CONFIG_INVALID"), String(error)),
      );
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs < 90_000, `${xml.slice(0, 20)}… took ${Math.round(tookMs)} ms`);
    }
  }).timeout(60_000);
});

describe("machine configurations", () => {
  const pieces = fc.constantFrom(
    ...[
      "memory: 1\n",
      "cores: x\n",
      "scsi0: ",
      "net0: ",
      "boot: order=",
      ";",
      ",",
      "=",
      "\n",
      "[x]\n",
      "__proto__: 1\n",
      "media=cdrom",
    ],
    ...[
      "<domain>",
      "</domain>",
      "<disk",
      " device='disk'",
      "/>",
      "<![CDATA[",
      "]]>",
      "&#0;",
      "&#x110000;",
      "<__proto__>",
      "<constructor a='1'/>",
    ],
  );
  const mutated = (text: string) =>
    fc
      .tuple(fc.nat(text.length), fc.nat(30), fc.oneof(pieces, fc.string({ unit: "binary", maxLength: 5 })))
      .map(([at, length, piece]) => text.slice(0, at) + piece + text.slice(at + length));
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join("")),
    mutated(PROXMOX),
    mutated(LIBVIRT),
  );

  it("fail with their own error only, and what they yield is in bounds", async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        for (const parse of [async () => parseProxmoxConfig(text), () => parseLibvirtDomain(text)]) {
          const config = await parse().catch((error: unknown) => {
            if (!isOurError(error, "MACHINE_CONFIG_INVALID")) throw error;
            return null;
          });
          if (config === null) continue;
          const { shape, disks, notes } = config;
          assert.ok(Number.isSafeInteger(shape.memoryMiB) && shape.memoryMiB > 0);
          assert.ok(Number.isSafeInteger(shape.cpus) && shape.cpus > 0);
          assert.match(shape.machineType, /^[a-z0-9.-]+$/);
          assert.equal(disks.length, shape.disks.length);
          assert.ok(notes.length <= 50 && notes.every((note) => !/[\p{Cc}\p{Cf}]/u.test(note)));
          for (const { mac } of shape.nics) assert.match(mac ?? "52:54:00:00:00:00", /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
        }
      }),
      { numRuns: 1500 },
    );
  }).timeout(60_000);

  it("are found by their contents", async () => {
    const files = [
      { name: "a.xml", bytes: bytes("<network><name>x</name></network>") },
      { name: "firewall", bytes: bytes("[OPTIONS]\nenable: 1\n") },
      { name: "broken", bytes: bytes("<domain><name></domain>") },
      { name: "binary", bytes: new Uint8Array([0, 1, 2, 255]) },
      { name: "anything.txt", bytes: bytes(PROXMOX) },
      { name: "again.xml", bytes: bytes(LIBVIRT) },
    ];
    const found = await findMachineConfig(files);
    assert.deepEqual([found.archive, found.config?.origin], ["anything.txt", "proxmox"]);
    assert.match(found.notes.join("\n"), /broken: not a machine configuration[\s\S]*again.xml: a second/);
    assert.equal((await findMachineConfig([files[5]!])).config?.origin, "libvirt");
    assert.deepEqual(await findMachineConfig(files.slice(0, 2)), { archive: null, config: null, notes: [] });
  });
});
