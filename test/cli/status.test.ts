import assert from "node:assert/strict";
import type { JobReport } from "../../core/jobReport/jobReport.js";
import { ConfiguredFolder } from "./configured.js";

interface StatusDocument {
  outcome: string;
  reports: JobReport[];
}

describe("reprise status", function () {
  this.timeout(30_000);
  let folder: ConfiguredFolder;
  before(async () => {
    folder = await ConfiguredFolder.make(`
repositories: { main: { location: repository } }
machines: { vm/a: { disks: a.raw, owner: team-a }, vm/b: { disks: b.raw } }
jobs:
  nightly: { backup: [vm/a, vm/b], schedule: daily }
`);
    const { code, stderr } = await folder.configured(["run", "nightly", "--machine", "vm/a"]);
    assert.equal(code, 0, stderr);
  });
  after(() => folder.remove());

  it("fails while a machine has no backup", async () => {
    const { reports } = await folder.json<StatusDocument>(["status"], 1);
    const [report] = reports;
    assert.deepEqual(
      report?.machines.map(({ machine, outcome }) => `${machine} ${outcome}`),
      ["vm/a passed", "vm/b failed"],
    );
    assert.equal(report?.machines[0]?.state?.owner, "team-a");
    assert.equal(report?.machines[0]?.state?.snapshots, 1);
    const { code, stdout } = await folder.configured(["status"]);
    assert.equal(code, 1);
    assert.match(stdout, /vm\/b: it has no backup, and the job nightly should make them/);
    assert.match(stdout, /vm\/a: backed up 0 min ago, never tested/);
  });

  it("may be about some machines only", async () => {
    const { reports } = await folder.json<StatusDocument>(["status", "--machine", "vm/a"]);
    assert.equal(reports[0]?.machines.length, 1);
    await folder.json<StatusDocument>(["status", "--machine", "vm/x"], 1);
  });

  it("needs no configuration: then nothing is expected", async () => {
    const { code, stdout, stderr } = await folder.cli(["status", "-r", folder.path("repository"), "--json"]);
    assert.equal(code, 0, stderr);
    const [report] = (JSON.parse(stdout) as StatusDocument).reports;
    assert.deepEqual(
      report?.machines.map(({ machine, outcome }) => `${machine} ${outcome}`),
      ["vm/a passed"],
    );
  });

  it("says that a repository cannot be opened", async () => {
    const env = { REPRISE_PASSPHRASE: "wrong" };
    const { code, stdout } = await folder.configured(["status"], { env });
    assert.equal(code, 1);
    assert.match(stdout, /PASSPHRASE_WRONG/);
  });
});
