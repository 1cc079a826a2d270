import assert from "node:assert/strict";
import { chooseForStream, planRestore } from "../../cli/restorePlan.js";
import { isOurError } from "../../core/errors.js";
import type { BlobIdHex } from "../../core/format/ids.js";
import type { Archive } from "../../core/format/manifest.js";

function archive(name: string, kind: Archive["kind"] = "image"): Archive {
  return { name, kind, sizeBytes: 1, root: "00".repeat(32) as BlobIdHex, format: "raw", lost: [] };
}

const web = [archive("root"), archive("data"), archive("web1.xml", "file")];

function plan(
  archives: Archive[],
  to: string,
  options: { names?: string[]; toIsFolder?: boolean; format?: "qcow2" } = {},
) {
  const { names = [], toIsFolder = false, format = "raw" } = options;
  const { items, folder, leftOut } = planRestore(archives, { names, to, toIsFolder, format });
  return {
    files: items.map((item) => `${item.archive.name} → ${item.path}`),
    folder,
    leftOut: leftOut.map(({ name }) => name),
  };
}

describe("restore plan", () => {
  it("one disk goes to the file, and its configuration files are named as left out", () => {
    assert.deepEqual(plan([archive("root")], "x.raw"), { files: ["root → x.raw"], folder: null, leftOut: [] });
    assert.deepEqual(plan([archive("root"), archive("c", "file")], "x.raw"), {
      files: ["root → x.raw"],
      folder: null,
      leftOut: ["c"],
    });
    assert.deepEqual(plan(web, "x.raw", { names: ["data"] }).files, ["data → x.raw"]);
    assert.deepEqual(plan(web, "x.xml", { names: ["web1.xml"] }).files, ["web1.xml → x.xml"]);
  });

  it("several go into a folder", () => {
    const files = ["root → out/root.raw", "data → out/data.raw", "web1.xml → out/web1.xml"];
    assert.deepEqual(plan(web, "out"), { files, folder: "out", leftOut: [] });
    assert.deepEqual(plan(web, "out", { format: "qcow2", names: ["root", "data"] }).files, [
      "root → out/root.qcow2",
      "data → out/data.qcow2",
    ]);
  });

  it("one disk goes into a folder that is there, or that is written as one", () => {
    assert.deepEqual(plan([archive("root")], "out", { toIsFolder: true }).files, ["root → out/root.raw"]);
    assert.deepEqual(plan([archive("root"), archive("c", "file")], "out/").files, ["root → out/root.raw", "c → out/c"]);
  });

  it("a disk and a file never meet under one name", () => {
    assert.deepEqual(plan([archive("root"), archive("root.raw", "file")], "o/").files, [
      "root → o/root.raw.raw",
      "root.raw → o/root.raw",
    ]);
  });

  it("refuses names that the snapshot does not have, and a stream of several", () => {
    const usage = (error: unknown) => isOurError(error, "COMMAND_LINE_INVALID");
    assert.throws(() => plan(web, "x", { names: ["root", "boot"] }), usage);
    assert.throws(() => chooseForStream(web, []), usage);
    assert.equal(chooseForStream(web, ["data"]).name, "data");
    assert.equal(chooseForStream([archive("root"), archive("c", "file")], []).name, "root");
  });
});
