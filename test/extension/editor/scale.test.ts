// A repository with many snapshots on a real S3 server (Ceph), in the editor's window: added by its URI, filtered, walked through.

import assert from "node:assert/strict";
import { addSnapshots } from "../../../bench/scale/bigRepository.js";
import { openBackend, openRepository, systemEnvironment } from "../../../core/index.js";
import { cliJson } from "../../cli/runInProcess.js";
import { machineDisks } from "../../files/machineDisk.js";
import { sharedS3Server } from "../../support/s3Server.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

const PASSPHRASE = "many snapshots, far away";
/** 300 of each machine: more than its row shows at first. */
const [MANY, MACHINES] = [1200, 4];

describe("a large repository on S3 in the editor", () => {
  let window: Workbench;
  let location: string;
  const rows = (text: string | RegExp) => window.page.locator(".sidebar .monaco-list-row").filter({ hasText: text });
  useEditor(
    async (later) => {
      const s3 = await sharedS3Server();
      const environment = s3.environment();
      later(givesBack(Object.keys(environment)));
      Object.assign(process.env, environment);
      const folder = await makeTemporaryFolder("scale");
      later(folder.remove);
      location = s3.location(s3.freshName(), "machines");
      const env = { REPRISE_REPOSITORY: location, REPRISE_PASSPHRASE: PASSPHRASE };
      await cliJson(["init", "--create-bucket", "--average-chunk", "64K"], { env });
      const [disk] = await machineDisks();
      const backup = ["backup", disk, "--name", "sda", "--format", "raw", "--group", "vm/web1", "--ns", "prod"];
      const { snapshotId } = await cliJson<{ snapshotId: string }>([...backup, "--tag", "release"], { env });
      await cliJson(["protect", snapshotId], { env });
      await addManifests();
      return { workspace: folder.path, env: environment };
    },
    (opened) => {
      window = opened.window;
    },
  );

  async function addManifests(): Promise<void> {
    const repository = await openRepository(await openBackend(location), {
      secret: async () => ({ passphrase: PASSPHRASE }),
      environment: systemEnvironment("0.0.0"),
      cacheFolder: null,
      onWarning: () => {},
    });
    await addSnapshots(repository, MANY, MACHINES);
    await repository.close();
  }

  it("is added by its URI, and shows its machines without another click", async () => {
    await window.openContainer("Backups");
    await window.command("Reprise: Add Repository");
    await window.answer("Add a repository", location);
    await window.answer("Passphrase of", PASSPHRASE);
    await rows(/\d snapshots? (so far|·)/)
      .first()
      .waitFor();
    await window.shot("scale-1-first-rows");
    await rows("300 snapshots ·").first().waitFor();
    await rows("Reading…").waitFor({ state: "detached" });
    await window.shot("scale-2-machines");
  });

  it("shows the newest snapshots of a machine, and more on demand", async () => {
    await window.expand("100");
    await rows("4 GiB · +47.7 MiB").first().waitFor();
    await window.shot("scale-3-snapshots");
    await (await window.reach("Show more… (200 of 300 shown)")).click();
    await window.reach("Thursday, January 1");
    assert.equal(await rows("Show more…").count(), 0);
    await window.shot("scale-3-oldest-snapshots");
    await window.page.keyboard.press("Home");
    await window.row("100").click();
  });

  it("filters machines and snapshots of the whole repository", async () => {
    await window.command("Reprise: Filter…");
    await window.answer("Filter machines and snapshots", "web* protected");
    await rows("1 of 1 snapshots").first().waitFor();
    assert.equal(await rows("300 snapshots ·").count(), 0);
    await window.page.getByText("machines: 1, snapshots: 1, in the open repositories").waitFor();
    await window.shot("scale-4-filtered");
    await window.command("Reprise: Filter…");
    await window.answer("Filter machines and snapshots", "tag:nothing");
    await rows("Nothing here matches “tag:nothing”").click();
    await rows("300 snapshots ·").first().waitFor();
  });

  it("walks to a file and opens it", async () => {
    await window.expand("web1");
    // its day has the same words, and no size
    const snapshot = rows(/MiB.*#release/).first();
    await snapshot.click();
    for (const label of ["sda", "p2", "etc"]) await window.expand(label);
    await (await window.reach("hostname")).click();
    await window.untilEditorText(/^web1\s*$/);
  });

  it("filters a folder, and says how much of it is left out", async () => {
    await (await window.reach("etc")).click();
    await window.expand("etc");
    await window.command("Reprise: Filter Folder…");
    await window.answer("Filter etc", "host*");
    await rows(/\d of \d+ match “host\*”/)
      .first()
      .waitFor();
    await window.shot("scale-5-folder-filter");
    assert.equal(await window.row("nginx").count(), 0);
    await rows(/\d of \d+ match “host\*”/)
      .first()
      .click();
    await window.row("nginx").waitFor();
  });
});

/** What puts these variables of this process back as they are now. */
function givesBack(names: string[]): () => Promise<void> {
  const before = names.map((name) => [name, process.env[name]] as const);
  return async () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
