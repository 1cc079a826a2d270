import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, cliText, memoryLocation, typingTerminal } from "./runInProcess.js";

describe("keys on the command line", () => {
  const location = memoryLocation();
  const env = { REPRISE_REPOSITORY: location, REPRISE_PASSPHRASE: "first canary" };
  let recoveryKey: string;
  let folder: TemporaryFolder;
  before(async () => {
    folder = await makeTemporaryFolder("cli-keys");
    const made = await cliJson(["init"], { env });
    recoveryKey = made.recoveryKey as string;
    assert.match(recoveryKey, /^RPRS1-([0-9A-Z]{1,5}-?){12}$/);
  });
  after(() => folder.remove());

  const opens = async (more: Record<string, string>) =>
    (await cli(["snapshots"], { env: { REPRISE_REPOSITORY: location, ...more } })).code === 0;

  it("the passphrase and the recovery key open, others do not", async () => {
    assert.ok(await opens({ REPRISE_PASSPHRASE: "first canary" }));
    assert.ok(await opens({ REPRISE_RECOVERY_KEY: recoveryKey.toLowerCase() }));
    const wrong = await cliJson<{ error: { code: string; family: string } }>(["snapshots"], {
      env: { ...env, REPRISE_PASSPHRASE: "wrong" },
      code: 2,
    });
    assert.deepEqual([wrong.error.code, wrong.error.family], ["PASSPHRASE_WRONG", "key"]);
  });

  it("a mistyped passphrase is asked for again, three times at most", async () => {
    const ask = (...lines: string[]) =>
      cli(["snapshots"], { env: { REPRISE_REPOSITORY: location }, stdin: typingTerminal(...lines) });
    assert.equal((await ask("wrong\r", "first canary\r")).code, 0);
    const failed = await ask("a\r", "b\r", "c\r", "first canary\r");
    assert.equal(failed.code, 2);
    assert.equal(failed.stderr.split("Passphrase for").length - 1, 3);
  });

  it("add, list, change, recovery, remove", async () => {
    const slots = () => cliJson<{ slotId: string; type: string; label: string }[]>(["key", "list"], { env });
    const newFile = join(folder.path, "new");
    await writeFile(newFile, "second canary\n");
    await cliJson(["key", "add", "--label", "laptop", "--new-passphrase-file", newFile], { env });
    assert.ok(await opens({ REPRISE_PASSPHRASE: "second canary" }));
    const changed = await cliJson<{ removed: unknown[] }>(["key", "change"], {
      env: { ...env, REPRISE_PASSPHRASE: "second canary", REPRISE_NEW_PASSPHRASE: "third canary" },
    });
    assert.equal(changed.removed.length, 1);
    assert.ok(
      !(await opens({ REPRISE_PASSPHRASE: "second canary" })) && (await opens({ REPRISE_PASSPHRASE: "third canary" })),
    );
    const another = (await cliJson(["key", "recovery", "--label", "safe"], { env })).recoveryKey as string;
    assert.ok((await opens({ REPRISE_RECOVERY_KEY: another })) && (await opens({ REPRISE_RECOVERY_KEY: recoveryKey })));
    const laptop = (await slots()).find(({ label }) => label === "laptop");
    await cliJson(["key", "remove", laptop?.slotId.slice(0, 12) ?? ""], { env });
    assert.ok(!(await opens({ REPRISE_PASSPHRASE: "third canary" })));
    assert.deepEqual((await slots()).map(({ type }) => type).sort(), ["passphrase", "recovery", "recovery"]);
    assert.match(await cliText(["key", "list"], { env }), /ID +KIND +CREATED +LABEL/);
    const withRecovery = {
      REPRISE_REPOSITORY: location,
      REPRISE_RECOVERY_KEY: recoveryKey,
      REPRISE_NEW_PASSPHRASE: "x",
    };
    assert.equal((await cli(["key", "change"], { env: withRecovery })).code, 64);
  });

  it("init writes the recovery key into a file that only its owner can read, and then prints it nowhere", async () => {
    const keyFile = join(folder.path, "recovery.txt");
    const elsewhere = { ...env, REPRISE_REPOSITORY: memoryLocation() };
    const { code, stdout, stderr } = await cli(["init", "--recovery-key-file", keyFile], { env: elsewhere });
    assert.equal(code, 0);
    const key = (await readFile(keyFile, "utf8")).trim();
    assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
    assert.ok(!stdout.includes(key) && !stderr.includes(key));
    assert.equal(
      (
        await cli(["snapshots"], {
          env: { REPRISE_REPOSITORY: elsewhere.REPRISE_REPOSITORY, REPRISE_RECOVERY_KEY: key },
        })
      ).code,
      0,
    );
    const again = await cli(["init", "--recovery-key-file", keyFile], {
      env: { ...env, REPRISE_REPOSITORY: memoryLocation() },
    });
    assert.equal(again.code, 64, "an existing file is not replaced");
    assert.equal((await readFile(keyFile, "utf8")).trim(), key);
    const unused = join(folder.path, "unused.txt");
    assert.equal((await cli(["init", "--recovery-key-file", unused], { env })).code, 2);
    await assert.rejects(stat(unused), "no file for a repository that was not made");
  });

  it("init on a terminal asks twice and shows the recovery key as text and as a QR code", async () => {
    const { code, stdout, stderr } = await cli(["init"], {
      env: { REPRISE_REPOSITORY: memoryLocation(), NO_COLOR: "1" },
      stdin: typingTerminal("typed canary\r", "typed canary\r"),
      terminal: true,
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /RPRS1-/);
    assert.ok(stdout.split("\n").filter((line) => line.includes("█")).length > 15, "a QR code");
    assert.match(stdout, /keep it apart from the passphrase/);
    assert.ok(!(stdout + stderr).includes("canary"));
  });

  it("no output ever holds a passphrase", async () => {
    for (const args of [["snapshots"], ["key", "list"], ["show", "nothing"], ["key", "remove", "ff"], ["nonsense"]]) {
      for (const mode of [[], ["--json"], ["--progress", "json"]]) {
        const { stdout, stderr } = await cli([...args, ...mode], { env: { ...env, REPRISE_DEBUG: "1" } });
        assert.ok(!(stdout + stderr).includes("canary"), args.join(" "));
      }
    }
  });
});
