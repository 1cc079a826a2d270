import assert from "node:assert/strict";
import type { FindInSnapshotsOptions } from "../../core/files/findInSnapshots.js";
import { findInSnapshots, snapshotsHaving } from "../../core/files/findInSnapshots.js";
import type { MachineTree } from "../../core/files/machineTree.js";
import { formatTreePath, parseTreePath } from "../../core/files/treePath.js";
import type { Snapshot } from "../../core/repository/catalog.js";
import { assertCode } from "../support/assertCode.js";
import { type ImageTree, openImages } from "./imageTree.js";
import { machineDisks } from "./machineDisk.js";

/** A snapshot of a machine with one disk, in the state of this name. */
function snapshotOf(state: string, timeMs: number): Snapshot {
  const archives = [{ kind: "image", name: "sda", root: state, sizeBytes: 1 }];
  return { sid: `${timeMs}`, timeMs, manifest: { archives } } as unknown as Snapshot;
}

describe("files in all snapshots of a machine", () => {
  let images: Record<string, ImageTree>;
  let opened: string[];
  // the second state is there for one day, and the first one comes back
  const snapshots = ["first", "first", "second", "first"].map(snapshotOf);
  const problems: string[] = [];
  const open = async ({ timeMs, manifest }: Snapshot): Promise<MachineTree> => {
    opened.push(String(timeMs));
    return (images[String(manifest.archives[0]?.root)] as ImageTree).tree;
  };
  const find = async (
    name: string,
    options: Partial<FindInSnapshotsOptions> = {},
    path = "/",
    searched = snapshots,
  ) => {
    opened = [];
    const wanted = (each: string) => each.endsWith(name);
    const onProblem = (_: Snapshot, __: unknown, at: readonly Uint8Array[]) => void problems.push(formatTreePath(at));
    return await findInSnapshots(searched, open, parseTreePath(path), { name: wanted }, { onProblem, ...options });
  };

  before(async () => {
    const [first, second] = await machineDisks();
    images = { first: await openImages({ sda: first }), second: await openImages({ sda: second }) };
  });
  after(async () => {
    for (const image of Object.values(images ?? {})) await image.close();
  });

  it("are found once for each state, with the snapshots that have it", async () => {
    const { versions, complete } = await find("nginx.conf");
    assert.deepEqual(
      versions.map((version) => snapshotsHaving(snapshots, version).map(({ timeMs }) => timeMs)),
      [[0, 1, 3], [2]],
    );
    assert.deepEqual(versions[0]?.runs, [
      { from: 0, to: 1 },
      { from: 3, to: 3 },
    ]);
    assert.deepEqual([complete, opened], [true, ["0", "2", "3"]]);
    for (const { file } of versions) assert.equal(file.node, null);
  });

  it("are told as soon as they are met, in the order of what is searched", async () => {
    const told: string[] = [];
    const newestFirst = snapshots.toReversed();
    const onFound = ({ runs }: { runs: readonly { from: number }[] }) =>
      void told.push(`${newestFirst[runs[0]?.from ?? 0]?.timeMs}, read: ${opened.length}`);
    await find("nginx.conf", { onFound }, "/", newestFirst);
    assert.deepEqual(told, ["3, read: 1", "2, read: 2"]);
  });

  it("end at the limit, without reading what is behind it", async () => {
    const all = await find("");
    const { versions, complete } = await find("", { limit: 5 });
    assert.deepEqual([versions.length, complete, opened], [5, false, ["0"]]);
    assert.ok(all.versions.length > 20);
    const whole = await find("", { limit: all.versions.length });
    assert.deepEqual([whole.versions.length, whole.complete], [all.versions.length, true]);
  });

  it("are missing only when no snapshot has the path", async () => {
    assert.deepEqual((await find("", {}, "/etc/added.conf")).versions.length, 1);
    await assertCode(find("", {}, "/no/such"), "FILE_NOT_FOUND");
    assert.deepEqual(problems, []);
  });
});
