// docs/cli.md against the program: nothing missing, nothing invented.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GLOBAL_OPTIONS } from "../../cli/globalOptions.js";
import { isFamily } from "../../cli/verb.js";
import { VERB_LIST } from "../../cli/verbList.js";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cliJson } from "./runInProcess.js";

const page = readFileSync(inProject("docs/cli.md"), "utf8");

function section(title: string): string {
  const found = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  return found ?? assert.fail(`docs/cli.md has no section "${title}"`);
}

/** The first JSON example of a section. */
function example(title: string): unknown {
  const block = /^```json\n(.+)\n```$/m.exec(section(title));
  return JSON.parse(block?.[1] ?? assert.fail(`no JSON example in "${title}"`));
}

/** Names of all members, `groups[].group`; the contents of empty lists and of `data` are not compared. */
function shapeOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((element) => shapeOf(element, `${path}[]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [`${path}.${name}`, ...shapeOf(member, `${path}.${name}`)]);
}

/** Every member that is in both lists' known parents must be in both. */
function assertSameShape(actual: unknown, documented: unknown): void {
  const [a, b] = [new Set(shapeOf(actual)), new Set(shapeOf(documented))];
  const parents = (shape: Set<string>) => new Set([...shape].map((path) => path.slice(0, path.lastIndexOf("."))));
  const [parentsOfA, parentsOfB] = [parents(a), parents(b)];
  const common = (path: string) => {
    const parent = path.slice(0, path.lastIndexOf("."));
    return parentsOfA.has(parent) && parentsOfB.has(parent);
  };
  assert.deepEqual([...a].filter(common).sort(), [...b].filter(common).sort());
}

describe("docs/cli.md", () => {
  it("has every verb with every option", () => {
    for (const { entry } of VERB_LIST) {
      if (!isFamily(entry) && entry.hidden) continue;
      const title = ["protect", "unprotect"].includes(entry.name) ? "protect, unprotect" : entry.name;
      const text = section(title);
      const verbs = isFamily(entry) ? entry.verbs : [entry];
      for (const { options, name } of [...verbs, ...(isFamily(entry) && entry.own ? [entry.own] : [])]) {
        if (isFamily(entry) && name !== entry.name)
          assert.ok(text.includes(`${entry.name} ${name}`), `${entry.name} ${name}`);
        for (const { flags } of options) {
          const option = flags.split(/[ ,]+/).find((part) => part.startsWith("--")) as string;
          assert.ok(text.includes(option), `${entry.name}: ${option}`);
        }
      }
    }
    for (const { flags } of GLOBAL_OPTIONS) {
      const option = flags.split(/[ ,]+/).find((part) => part.startsWith("--")) as string;
      assert.ok(section("Options of every verb").includes(option), option);
    }
  });

  it("has no option that does not exist", () => {
    const real = new Set(["--help", "--version"]);
    const specs = VERB_LIST.flatMap(({ entry }) =>
      isFamily(entry) ? [...entry.verbs, ...(entry.own ? [entry.own] : [])] : [entry],
    ).flatMap(({ options }) => options);
    for (const { flags } of [...specs, ...GLOBAL_OPTIONS]) for (const part of flags.split(/[ ,]+/)) real.add(part);
    const mentioned = page.match(/--[a-z][a-z-]+/g) ?? [];
    assert.deepEqual(
      [...new Set(mentioned)].filter((option) => !real.has(option)),
      [],
    );
  });
});

describe("JSON examples of docs/cli.md", () => {
  let env: Record<string, string>;
  let folder: TemporaryFolder;
  const check = async (title: string, ...args: string[]) =>
    assertSameShape(await cliJson(args, { env }), example(title));

  before(async () => {
    folder = await makeTemporaryFolder("cli-docs");
    env = { REPRISE_REPOSITORY: join(folder.path, "repository") };
    await writeFile(join(folder.path, "web1.raw"), randomBytes(100_000));
  });
  after(() => folder.remove());

  it("have the members of the real documents", async () => {
    await check("init", "init", "--no-encryption");
    await check("backup", "backup", join(folder.path, "web1.raw"), "-g", "vm/web1");
    await check("verify", "verify", "--read-data");
    await check("snapshots", "snapshots");
    await check("restore", "restore", "vm/web1@latest", "--to", join(folder.path, "out.raw"));
    await check("notes", "notes", "vm/web1@latest", "text");
    await check("tag", "tag", "vm/web1@latest", "--add", "x");
    await check("protect, unprotect", "unprotect", "vm/web1@latest");
    await check("prune", "prune", "--keep-last", "1", "--dry-run");
    await check("stats", "stats");
    await check("repair", "repair", "snapshots");
    const replica = join(folder.path, "replica");
    await cliJson(["init", "--no-encryption", "-r", replica], { env });
    await check("sync", "sync", "--from", join(folder.path, "repository"), "--to", replica);
    await check("completion", "completion", "bash");
    await check("forget", "forget", "vm/web1@latest");
    await check("gc", "gc", "--dry-run");
    const error = await cliJson(["show", "vm/web2@latest"], { env, code: 2 });
    assertSameShape(error, example("JSON"));
  });

  it("has the members of verify and repair where something is damaged", () => {
    for (const member of [".snapshots[].damaged[].reason", ".packs.problems[].needed"])
      assert.ok(shapeOf(example("verify")).includes(member));
    assert.ok(shapeOf(example("repair")).includes(".repairs[].disks[].ranges[].length"));
  });
});
