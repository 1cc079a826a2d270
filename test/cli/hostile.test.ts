// Names and texts that want to do something to the terminal of whoever looks at them.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  loadCatalog,
  openBackend,
  openRepository,
  resolveSnapshot,
  systemEnvironment,
  writeRecord,
} from "../../core/index.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, memoryLocation } from "./runInProcess.js";

const EVIL = "\x1b]0;owned\x07\u009b31m\u202egnp.exe\rfake";
const UNSAFE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;

/** Takes our own colour commands away: ESC, [, digits, m. */
function withoutColors(text: string): string {
  const [first = "", ...parts] = text.split("\x1b[");
  return first + parts.map((part) => part.replace(/^\d+m/, "")).join("");
}

describe("hostile text", () => {
  const location = memoryLocation();
  const env = { REPRISE_REPOSITORY: location };
  let folder: TemporaryFolder;

  before(async () => {
    folder = await makeTemporaryFolder("cli-hostile");
    await writeFile(join(folder.path, "disk"), "some bytes");
    await cliJson(["init", "--no-encryption"], { env });
    await cliJson(["backup", join(folder.path, "disk"), "-g", "vm/a", "--notes", `first\n${EVIL}`], { env });
    await storeTags([EVIL]);
  });
  after(() => folder.remove());

  /** Somebody else's program may store tags that ours refuses. */
  async function storeTags(tags: string[]): Promise<void> {
    const options = { onWarning: () => {} };
    const repository = await openRepository(await openBackend(location), {
      ...options,
      secret: () => Promise.reject(new Error("not encrypted")),
      environment: systemEnvironment("test"),
      cacheFolder: null,
    });
    const catalog = await loadCatalog(repository, options);
    const { sid } = resolveSnapshot("vm/a@latest", catalog);
    await writeRecord(repository, { type: "tags", data: { tags } }, [sid], catalog.records);
  }

  it("from the repository is escaped in text and in JSON", async () => {
    for (const args of [["snapshots"], ["show", "vm/a@latest"], ["notes", "vm/a@latest"], ["tag", "vm/a@latest"]]) {
      const text = await cli(args, { env });
      assert.equal(text.code, 0, text.stderr);
      assert.doesNotMatch(text.stdout, UNSAFE, args.join(" "));
      const json = await cli([...args, "--json"], { env });
      assert.doesNotMatch(json.stdout, UNSAFE, args.join(" "));
    }
    assert.match((await cli(["tag", "vm/a@latest"], { env })).stdout, /\\x1b\]0;owned/);
    assert.equal(
      (await cliJson<{ tags: string[] }>(["tag", "vm/a@latest"], { env })).tags[0],
      EVIL,
      "and means the same",
    );
  });

  it("from the command line and from file names is escaped in errors", async () => {
    const odd = join(folder.path, EVIL);
    await mkdir(odd);
    for (const args of [
      ["show", EVIL],
      [EVIL],
      ["backup", join(odd, "absent"), "-g", "vm/a"],
      ["backup", odd, "-g", "vm/a"],
      ["snapshots", "-r", odd],
      ["backup", odd, "-g", EVIL],
    ]) {
      const { code, stderr } = await cli(args, { env });
      assert.notEqual(code, 0);
      assert.doesNotMatch(stderr, UNSAFE, args.join(" "));
    }
  });

  it("from a terminal with colours: only our own escapes", async () => {
    const { stdout } = await cli(["show", "vm/a@latest"], { env, terminal: true });
    assert.ok(stdout.includes("\x1b[1m"), "colours are on");
    assert.doesNotMatch(withoutColors(stdout), UNSAFE);
    const withoutColor: Record<string, string>[] = [{ NO_COLOR: "1" }, { TERM: "dumb" }];
    for (const off of withoutColor) {
      assert.ok(
        !(await cli(["show", "vm/a@latest"], { env: { ...env, ...off }, terminal: true })).stdout.includes("\x1b"),
      );
    }
    assert.ok(!(await cli(["show", "vm/a@latest", "--no-color"], { env, terminal: true })).stdout.includes("\x1b"));
  });

  it("a disk with an odd path is backed up under a safe name", async () => {
    const path = join(folder.path, "päth with spaces & ünïcode\n.img");
    await writeFile(path, "bytes");
    const { archives } = await cliJson<{ archives: { name: string }[] }>(["backup", path, "-g", "vm/odd"], { env });
    assert.match(archives[0]?.name ?? "", /^[A-Za-z0-9_.-]+$/);
  });
});
