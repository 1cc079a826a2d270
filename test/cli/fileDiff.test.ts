// diff, tar and zip, through a repository with two states of one disk.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type MachineRepository, makeMachineRepository } from "../files/machineRepository.js";
import { cli, cliJson, cliText } from "./runInProcess.js";

interface DiffDocument {
  counts: Record<string, number>;
  differences: { path: string; change: string; metadata: string[]; diff?: string | null }[];
}

describe("diff of snapshots", function () {
  this.timeout(60_000);
  let machine: MachineRepository;
  const text = (...args: string[]) => cliText(args, { env: machine.env });

  before(async () => {
    machine = await makeMachineRepository();
  });
  after(() => machine.folder.remove());

  it("names what was added, removed and changed, and what has other metadata only", async () => {
    const args = ["diff", "prod:vm/web1~1", "prod:vm/web1@latest"];
    const { differences, counts } = await cliJson<DiffDocument>(args, { env: machine.env });
    assert.deepEqual(
      differences.map(({ path, change, metadata }) => [path, change, metadata.filter((field) => field !== "modified")]),
      [
        ["/sda/p2/etc/added.conf", "added", []],
        ["/sda/p2/etc/becomes-link", "changed", ["mode"]],
        ["/sda/p2/etc/mode.conf", "metadata", ["mode"]],
        ["/sda/p2/etc/nginx/nginx.conf", "changed", ["attributes"]],
        ["/sda/p2/etc/removed.conf", "removed", []],
      ],
    );
    assert.deepEqual(counts, { added: 1, removed: 1, changed: 2, metadata: 1, unreadable: 0 });
  });

  it("has nothing to say about equal snapshots", async () => {
    const { differences } = await cliJson<DiffDocument>(["diff", machine.snapshots[0]!, machine.snapshots[1]!], {
      env: machine.env,
    });
    assert.deepEqual(differences, []);
  });

  it("looks below a path, and says when it is in neither", async () => {
    const lines = await text("diff", "prod:vm/web1~1", "prod:vm/web1@latest", "--path", "/etc/nginx");
    assert.match(lines, /^M \/sda\/p2\/etc\/nginx\/nginx\.conf/m);
    assert.doesNotMatch(lines, /added\.conf/);
    const one = await text("diff", "prod:vm/web1~1", "prod:vm/web1@latest", "--path", "/etc/added.conf", "-q");
    assert.equal(one, "+ /sda/p2/etc/added.conf\n");
    const none = await cli(["diff", "prod:vm/web1~1", "prod:vm/web1@latest", "--path", "/none"], { env: machine.env });
    assert.equal(none.code, 2);
  });

  it("shows changed lines in a form that patch reads", async () => {
    const patch = await text("diff", "prod:vm/web1~1", "prod:vm/web1@latest", "--path", "/etc/nginx", "--content");
    const work = join(machine.folder.path, "patched");
    await mkdir(join(work, "sda/p2/etc/nginx"), { recursive: true });
    const conf = join(work, "sda/p2/etc/nginx/nginx.conf");
    await writeFile(conf, await text("cat", "prod:vm/web1~1:/etc/nginx/nginx.conf"));
    try {
      execFileSync("patch", ["-p1", "-s"], { cwd: work, input: patch });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return assert.match(patch, /^-log on;\n\+log off;$/m);
    }
    const patched = execFileSync("cat", [conf]).toString();
    assert.equal(patched, await text("cat", "prod:vm/web1@latest:/etc/nginx/nginx.conf"));
  });
});
