// Copies of copies over the real storages: local folder → S3 → SFTP → local folder, each with a key and chunk sizes of its own.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sharedS3Server } from "../support/s3Server.js";
import { sshServer } from "../support/sshServer.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cliJson, cliText } from "./runInProcess.js";

interface SyncDocument {
  copied: { bytesRead: number; bytesStored?: number }[];
  present: number;
  failed: unknown[];
  records: number;
}

interface Place {
  location: string;
  passphrase: string;
}

describe("sync over local folders, S3 and SFTP", function () {
  this.timeout(180_000);
  let folder: TemporaryFolder;
  let places: Place[];
  const saved = { ...process.env };
  const digests = new Map<string, string>();

  const at = ({ location, passphrase }: Place) => ({
    env: { REPRISE_REPOSITORY: location, REPRISE_PASSPHRASE: passphrase },
  });
  const sync = (from: Place, to: Place) =>
    cliJson<SyncDocument>(["sync", "--from", from.location, "--to", to.location], {
      env: { REPRISE_PASSPHRASE: to.passphrase, REPRISE_FROM_PASSPHRASE: from.passphrase },
    });

  async function restoredDigests(place: Place): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const snapshots = await cliJson<{ snapshotId: string; group: string; time: string }[]>(["snapshots"], at(place));
    for (const { snapshotId, group, time } of snapshots) {
      const target = join(folder.path, `restored-${randomBytes(4).toString("hex")}`);
      await cliText(["restore", snapshotId, "--to", target], at(place));
      found.set(`${group}@${time}`, sha256(await readFile(target)));
    }
    return found;
  }

  before(async () => {
    folder = await makeTemporaryFolder("sync-chain");
    const s3 = await sharedS3Server();
    const ssh = await sshServer();
    Object.assign(process.env, s3.environment());
    const bucket = await s3.newBucket();
    const names = [
      join(folder.path, "first"),
      s3.location(bucket, "copies"),
      ssh.location(join(ssh.newRoot(), "copies")),
      join(folder.path, "last"),
    ];
    places = names.map((location, i) => ({ location, passphrase: `the passphrase of place ${i}` }));
    const chunks = ["128K", "64K", "256K", "512K"];
    for (const [i, place] of places.entries())
      await cliText(["init", "--average-chunk", chunks[i] as string, "--pack-size", "2M"], at(place));
  });
  after(async () => {
    for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
    Object.assign(process.env, saved);
    await folder.remove();
  });

  it("ends with equal digests, and a second run moves nothing", async () => {
    const [first] = places as [Place];
    const disk = join(folder.path, "disk.img");
    const contents = Buffer.concat([randomBytes(5_000_000), Buffer.alloc(3_000_000), randomBytes(800_000)]);
    for (const [group, day] of [
      ["vm/a", 1],
      ["vm/a", 2],
      ["vm/b", 1],
    ] as const) {
      contents.set(randomBytes(300_000), 1_000_000 * day);
      await writeFile(disk, contents);
      const { group: named, time } = await cliJson<{ group: string; time: string }>(
        ["backup", disk, "-g", group],
        at(first),
      );
      digests.set(`${named}@${time}`, sha256(contents));
      await new Promise((resolve) => setTimeout(resolve, 1100));
    }
    await cliText(["protect", "vm/a@latest"], at(first));
    await cliText(["notes", "vm/b@latest", "as of the move"], at(first));
    for (let i = 1; i < places.length; i++) {
      const [from, to] = [places[i - 1] as Place, places[i] as Place];
      const done = await sync(from, to);
      assert.deepEqual([done.copied.length, done.failed], [3, []]);
      const again = await sync(from, to);
      assert.deepEqual([again.copied, again.present, again.records, again.failed], [[], 3, 0, []]);
    }
    const last = places.at(-1) as Place;
    assert.deepEqual(await restoredDigests(last), digests);
    const listed = await cliJson<{ group: string; protected: boolean; notes: string }[]>(["snapshots"], at(last));
    assert.equal(listed.filter((snapshot) => snapshot.protected).length, 1);
    assert.equal(listed.find(({ group }) => group === "vm/b")?.notes, "as of the move");
    const home = await sync(last, first);
    assert.deepEqual([home.copied, home.failed], [[], []]);
  });

  it("repairs a chunk that is destroyed in one copy from another one", async () => {
    const [first, inS3] = places as [Place, Place];
    const path = await largestFile(join(first.location, "packs"));
    const bytes = await readFile(path);
    bytes.fill(0, 5000, 60_000);
    await writeFile(path, bytes);
    await cliJson(["verify", "--read-data"], { ...at(first), code: 1 });
    await cliText(["repair", "--from", inS3.location], {
      env: { ...at(first).env, REPRISE_FROM_PASSPHRASE: inS3.passphrase },
    });
    await cliText(["gc"], at(first));
    await cliText(["verify", "--read-data"], at(first));
    assert.deepEqual(await restoredDigests(first), digests);
  });
});

async function largestFile(folderPath: string): Promise<string> {
  const entries = await readdir(folderPath, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return paths[sizes.indexOf(Math.max(...sizes))] as string;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
