import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { detectAccelerator } from "../../core/hypervisor/accelerator.js";
import {
  chooseBuild,
  findUefiBuilds,
  prepareFirmware,
  type UefiBuild,
  withoutPadding,
} from "../../core/hypervisor/firmware.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("accelerator", () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await makeTemporaryFolder("accelerator");
    await writeFile(join(folder.path, "kvm"), "");
    await writeFile(join(folder.path, "with"), "processor : 0\nflags\t\t: fpu vmx sse\n");
    await writeFile(join(folder.path, "without"), "model name : svm\nflags\t\t: fpu vmx_no sse\n");
  });
  after(() => folder.remove());

  it("is KVM only when it can be opened and the processor has it", async () => {
    const surroundings = (device: string, cpuinfo: string) => ({
      device: join(folder.path, device),
      cpuinfo: join(folder.path, cpuinfo),
    });
    assert.equal((await detectAccelerator("auto", surroundings("kvm", "with"))).kind, "kvm");
    const paravirtual = await detectAccelerator("auto", surroundings("kvm", "without"));
    assert.deepEqual([paravirtual.kind, paravirtual.slowdown], ["tcg", 8]);
    assert.match(paravirtual.reason, /neither vmx nor svm/);
    assert.equal((await detectAccelerator("auto", surroundings("none", "with"))).kind, "tcg");
    assert.equal((await detectAccelerator("tcg", surroundings("kvm", "with"))).kind, "tcg");
    await assertCode(detectAccelerator("kvm", surroundings("kvm", "without")), "ACCELERATOR_MISSING");
  });
});

describe("UEFI firmware", () => {
  const build = (changes: Partial<UefiBuild>): UefiBuild => ({
    codePath: "/c",
    templatePath: "/t",
    sizeBytes: 540672,
    needsSmm: false,
    secureBoot: false,
    enrolledKeys: false,
    ...changes,
  });
  const plain = build({});
  const old = build({ sizeBytes: 131072 });
  const able = build({ secureBoot: true, needsSmm: true });
  const enrolled = build({ secureBoot: true, needsSmm: true, enrolledKeys: true });

  it("has secure boot as wanted, and the size of the saved variables", () => {
    const all = [enrolled, able, plain, old];
    assert.equal(chooseBuild(all, false, undefined), plain);
    assert.equal(chooseBuild(all, false, 131072), old);
    assert.equal(chooseBuild(all, true, undefined), enrolled);
    assert.equal(chooseBuild([able, plain], true, undefined), undefined);
    assert.equal(chooseBuild([able, plain], true, 540672), able);
    assert.equal(chooseBuild(all, true, 131072), undefined);
  });

  it("takes variables without what a rounded volume adds to them", () => {
    const volume = new Uint8Array(4096);
    const view = new DataView(volume.buffer);
    view.setBigUint64(32, 1024n, true);
    volume.set(Buffer.from("_FVH"), 40);
    assert.equal(withoutPadding(volume).length, 1024);
    assert.equal(withoutPadding(volume.subarray(0, 1024)).length, 1024);
    view.setBigUint64(32, 2n ** 63n, true);
    assert.equal(withoutPadding(volume).length, 4096);
    assert.equal(withoutPadding(new Uint8Array(7)).length, 7);
  });

  it("is found by its descriptions, which may say anything", async () => {
    const folder = await makeTemporaryFolder("firmware");
    try {
      const path = (name: string) => join(folder.path, name);
      await writeFile(path("code"), "code");
      await writeFile(path("vars"), "fresh");
      const description = {
        "interface-types": ["uefi"],
        mapping: {
          device: "flash",
          executable: { filename: path("code"), format: "raw" },
          "nvram-template": { filename: path("vars"), format: "raw" },
        },
        targets: [{ architecture: "x86_64", machines: ["pc-q35-*"] }],
        features: ["secure-boot", "requires-smm"],
      };
      await writeFile(path("1.json"), JSON.stringify(description));
      await writeFile(path("2.json"), JSON.stringify({ ...description, targets: [{ architecture: "aarch64" }] }));
      await writeFile(path("3.json"), "[".repeat(1000));
      await writeFile(path("4.json"), JSON.stringify({ ...description, mapping: 5 }));
      const builds = await findUefiBuilds([folder.path]);
      assert.deepEqual(builds, [
        {
          codePath: path("code"),
          templatePath: path("vars"),
          sizeBytes: 5,
          secureBoot: true,
          needsSmm: true,
          enrolledKeys: false,
        },
      ]);
      const shape = { kind: "uefi", secureBoot: true, variablesArchive: null } as const;
      const saved = await prepareFirmware(shape, new Uint8Array(5), path("copy"), builds);
      assert.deepEqual(saved, { codePath: path("code"), variablesPath: path("copy"), needsSmm: true });
      await assertCode(prepareFirmware(shape, new Uint8Array(6), path("copy"), builds), "FIRMWARE_MISSING");
      assert.equal(await prepareFirmware({ ...shape, kind: "bios" }, undefined, path("copy"), builds), null);
    } finally {
      await folder.remove();
    }
  });
});
