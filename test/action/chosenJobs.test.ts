// Which jobs a step means: one that names a repository never touches another one.

import assert from "node:assert/strict";
import { chosenJobs } from "../../action/chosenJobs.js";
import type { Inputs } from "../../action/inputs.js";
import { readConfig } from "../../core/config/readConfig.js";
import type { RepriseConfig } from "../../core/config/repriseConfig.js";
import { assertThrowsCode } from "../support/assertCode.js";

const FILE = `
repositories:
  main: { location: /srv/main }
  offsite: { location: /srv/offsite }
  spare: { location: /srv/spare }
machines: { vm/a: { disks: a.raw } }
jobs:
  trim: { prune: all, retention: { last: 1 }, repository: main }
  trim-offsite: { prune: all, retention: { last: 30 }, repository: offsite }
  proof: { restore-test: all, repository: main }
restore-tests:
  - { name: a-reads, machine: vm/a, level: intact }
`;

describe("the jobs of a step", () => {
  let config: RepriseConfig;
  before(async () => {
    config = await readConfig(FILE, { fileName: "reprise.yml", readFile: async () => new Uint8Array() });
  });

  function chosen(command: Inputs["command"], change: Partial<Inputs> = {}): readonly string[] {
    return chosenJobs({ command, jobs: [], tests: [], repository: "", ...change }, config).jobs;
  }

  it("are those of the repository that is named, and no others", () => {
    assert.deepEqual(chosen("prune"), ["trim", "trim-offsite"]);
    assert.deepEqual(chosen("prune", { repository: "offsite" }), ["trim-offsite"]);
    assert.deepEqual(chosen("restore-test", { repository: "main" }), ["proof"]);
    assertThrowsCode(() => chosen("prune", { repository: "spare" }), "JOB_UNKNOWN");
  });

  it("are none when the repository is unknown, or the job is of another one", () => {
    assertThrowsCode(() => chosen("prune", { repository: "backup" }), "REPOSITORY_UNKNOWN");
    assertThrowsCode(() => chosen("run", { repository: "backup" }), "REPOSITORY_UNKNOWN");
    assertThrowsCode(() => chosen("prune", { jobs: ["trim"], repository: "offsite" }), "JOB_UNKNOWN");
    assert.deepEqual(chosen("prune", { jobs: ["trim"], repository: "main" }), ["trim"]);
  });

  it("are tests in the repository that is named, where no job has them", () => {
    const { config: made, jobs } = chosenJobs(
      { command: "restore-test", jobs: [], tests: [], repository: "offsite" },
      config,
    );
    assert.equal(made.jobs.find(({ name }) => name === jobs[0])?.repository, "offsite");
  });
});
