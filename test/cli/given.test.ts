import assert from "node:assert/strict";
import { parseAgeMs, parseRate, parseShare, parseSize, parseSpanMs, parseSubset } from "../../cli/given/amounts.js";
import { nameArchives } from "../../cli/given/archiveNames.js";
import { Given } from "../../cli/given/given.js";
import { checkTags } from "../../cli/given/labels.js";
import { fitsMachine, readMachine, readMachineFilter } from "../../cli/given/machine.js";
import { isOurError } from "../../core/errors.js";

function refused(action: () => unknown): void {
  assert.throws(action, (error: unknown) => isOurError(error) && error.family === "usage");
}

describe("amounts on the command line", () => {
  it("sizes", () => {
    const sizes = ["4096", "256K", "256KiB", "32M", "32mb", "1.5G", "1T", "0"].map((text) => parseSize(text, "--x"));
    assert.deepEqual(sizes, [4096, 262_144, 262_144, 33_554_432, 33_554_432, 1_610_612_736, 2 ** 40, 0]);
    for (const wrong of ["", "K", "-1", "1e9", "1 X", "99999999999999T", "0x10"])
      refused(() => parseSize(wrong, "--x"));
  });

  it("rates, shares, spans, subsets", () => {
    assert.deepEqual([parseRate("20M", "--x"), parseRate("512K/s", "--x")], [20 * 1024 * 1024, 512 * 1024]);
    assert.deepEqual([parseShare("5%", "--x"), parseShare("0.05", "--x"), parseShare("0", "--x")], [0.05, 0.05, 0]);
    assert.deepEqual([parseSpanMs("6h"), parseSpanMs("30d")], [21_600_000, 2_592_000_000]);
    assert.deepEqual(parseSubset("2/5", "--x"), { part: 2, of: 5 });
    refused(() => parseRate("0", "--x"));
    for (const wrong of ["101%", "2", "-1", "x"]) refused(() => parseShare(wrong, "--x"));
    for (const wrong of ["0/5", "6/5", "1", "1/0", "a/b"]) refused(() => parseSubset(wrong, "--x"));
    refused(() => parseSpanMs("soon"));
    assert.deepEqual([parseAgeMs("1m", "--x"), parseAgeMs("1h30min", "--x")], [60_000, 5_400_000]);
    for (const text of ["", "1", "1y", "1mo", "-1d", "1m1h"]) refused(() => parseAgeMs(text, "--x"));
  });

  it("whole numbers name their option", () => {
    const given = new Given([], { keepLast: "3", last: "x", level: "20" });
    assert.equal(given.integer("keepLast", 0), 3);
    assert.equal(given.integer("absent", 0), undefined);
    assert.throws(() => given.integer("last", 1), /--last: "x" is not a whole number, 1 or more/);
    assert.throws(() => given.integer("level", 1, 19), /--level: "20" is not a whole number, 1 to 19/);
  });
});

describe("names of disks", () => {
  const names = (disks: string[], configs: string[] = [], wanted: string[] = []) => {
    const named = nameArchives(disks, configs, wanted);
    return [...named.disks, ...named.files].map(({ name, path }) => `${name}=${path}`);
  };

  it("come from the files, made safe", () => {
    assert.deepEqual(names(["/vms/web1.qcow2", "/dev/vg0/root", "-", "/x/a b.raw", "/x/.hidden", "/x/db.2026"]), [
      "web1=/vms/web1.qcow2",
      "root=/dev/vg0/root",
      "stdin=-",
      "a_b=/x/a b.raw",
      "_hidden=/x/.hidden",
      "db.2026=/x/db.2026",
    ]);
    assert.deepEqual(names(["/x/web1.raw"], ["/etc/web1.xml"]), ["web1=/x/web1.raw", "web1.xml=/etc/web1.xml"]);
  });

  it("of equal files get the name of their folder, whatever their order", () => {
    assert.deepEqual(names(["/vms/a/disk.img", "/vms/b/disk.img"]), [
      "a-disk=/vms/a/disk.img",
      "b-disk=/vms/b/disk.img",
    ]);
    assert.deepEqual(names(["/vms/b/disk.img", "/vms/a/disk.img"]), [
      "b-disk=/vms/b/disk.img",
      "a-disk=/vms/a/disk.img",
    ]);
  });

  it("are taken from --name, which may also bring a disk", () => {
    assert.deepEqual(names(["/x/a.img"], [], ["root=/x/a.img"]), ["root=/x/a.img"]);
    assert.deepEqual(names(["/x/../x/a.img"], [], ["root=/x/a.img"]), ["root=/x/../x/a.img"]);
    assert.deepEqual(names([], [], ["root=/x/a=b.img", "data=-"]), ["root=/x/a=b.img", "data=-"]);
    assert.deepEqual(names(["-"], [], ["root"]), ["root=-"]);
    assert.deepEqual(names(["/x/a"], ["/x/c.xml"], ["conf=/x/c.xml"]), ["a=/x/a", "conf=/x/c.xml"]);
    for (const wrong of ["=x", "a/b=x", "../x=y", "root"]) refused(() => nameArchives(["/a", "/b"], [], [wrong]));
  });
});

describe("machines and tags", () => {
  it("take the namespace from either place", () => {
    const machine = (group: string, ns?: string) => readMachine(new Given([], { group, ns }));
    assert.deepEqual(machine("vm/web1"), { namespace: "", group: "vm/web1" });
    assert.deepEqual(machine("vm/web1", "prod"), { namespace: "prod", group: "vm/web1" });
    assert.deepEqual(machine("prod/eu:vm/web1"), { namespace: "prod/eu", group: "vm/web1" });
    refused(() => machine("prod:vm/web1", "test"));
    refused(() => machine("web1"));
    refused(() => machine("vm/web1", "../x"));
  });

  it("filter by namespace, by groups, or not at all", () => {
    const fits = (options: Record<string, unknown>, namespace: string, group = "vm/a") =>
      fitsMachine(readMachineFilter(new Given([], options)), { namespace, group });
    assert.ok(fits({}, "prod"));
    assert.ok(fits({ ns: "prod" }, "prod") && !fits({ ns: "prod" }, ""));
    assert.ok(fits({ group: ["vm/a"] }, "") && !fits({ group: ["vm/a"] }, "prod"));
    assert.ok(fits({ group: ["vm/a"], ns: "prod" }, "prod") && !fits({ group: ["vm/b", "ct/a"] }, ""));
    assert.ok(fits({ group: ["prod:vm/a"] }, "prod") && !fits({ group: ["prod:vm/a"], ns: "test" }, "test"));
  });

  it("tags are short lines", () => {
    assert.deepEqual(checkTags(["a", "b c", "a"], "--tag"), ["a", "b c"]);
    for (const wrong of ["", " a", "a\n", "\x1b[31m", "x".repeat(129)]) refused(() => checkTags([wrong], "--tag"));
  });
});
