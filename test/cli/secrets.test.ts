import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InputStream } from "../../cli/io.js";
import { promptHidden } from "../../cli/secret/prompt.js";
import { SecretSource } from "../../cli/secret/secretSource.js";
import { readSecretFile } from "../../core/config/secretFile.js";
import { isAbort } from "../../core/errors.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { typingTerminal } from "./runInProcess.js";

const never = new AbortController().signal;
const noTerminal = Object.assign(typingTerminal(), { isTTY: false });
const recoveryKey = "RPRS1-00000-00000";

function source(env: Record<string, string>, stdin: InputStream = noTerminal, passphraseFile?: string) {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  return Object.assign(new SecretSource({ io: { env, stdin }, signal: never, passphraseFile, write }), { written });
}

describe("prompt", () => {
  const ask = (...keys: string[]) => {
    const written: string[] = [];
    const stdin = typingTerminal(...keys);
    const asked = promptHidden("Passphrase: ", { stdin, write: (text) => void written.push(text), signal: never });
    return { asked, written, stdin };
  };

  it("takes a line and shows nothing of it", async () => {
    const { asked, written, stdin } = ask("sésame ☕\r");
    assert.equal(await asked, "sésame ☕");
    assert.deepEqual(written, ["Passphrase: ", "\n"]);
    assert.deepEqual(stdin.raw, [true, false], "the terminal is as before");
  });

  it("knows backspace and Ctrl-U, and ignores other control keys", async () => {
    assert.equal(await ask("wrong\u0015se\u0001same\x7fe!\b\n").asked, "sesame");
  });

  it("is ended by Ctrl-C, by Ctrl-D on an empty line, and by an abort", async () => {
    for (const keys of ["abc\u0003", "\u0004"]) {
      const { asked, stdin } = ask(keys);
      await assert.rejects(asked, isAbort);
      assert.deepEqual(stdin.raw, [true, false]);
    }
    const controller = new AbortController();
    const stdin = typingTerminal("");
    const asked = promptHidden("? ", { stdin, write: () => {}, signal: controller.signal });
    controller.abort();
    await assert.rejects(asked, isAbort);
    assert.deepEqual(stdin.raw, [true, false]);
  });

  it("joins a character that arrives in two pieces", async () => {
    const stdin = typingTerminal();
    const asked = promptHidden("? ", { stdin, write: () => {}, signal: never });
    const [first, second] = [Buffer.from("é").subarray(0, 1), Buffer.from("é\n").subarray(1)];
    stdin.write(first);
    await new Promise((resolve) => setImmediate(resolve));
    stdin.write(second);
    assert.equal(await asked, "é");
  });
});

describe("two prompts", () => {
  it("share what was pasted at once", async () => {
    assert.equal(await source({}, typingTerminal("one\none\n")).forInit("r"), "one");
  });
});

describe("where the secret comes from", () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await makeTemporaryFolder("cli-secrets");
  });
  afterEach(() => folder.remove());

  it("an option, then the environment, then a terminal", async () => {
    const [fromOption, fromEnv] = [join(folder.path, "option"), join(folder.path, "env")];
    await writeFile(fromOption, "from option\n");
    await writeFile(fromEnv, "from file\r\n");
    const env = { REPRISE_PASSPHRASE: "from env", REPRISE_PASSPHRASE_FILE: fromEnv, REPRISE_RECOVERY_KEY: recoveryKey };
    assert.deepEqual(await source(env, noTerminal, fromOption).toOpen("r"), { passphrase: "from option" });
    assert.deepEqual(await source(env).toOpen("r"), { passphrase: "from env" });
    assert.deepEqual(await source({ ...env, REPRISE_PASSPHRASE: "" }).toOpen("r"), { passphrase: "from file" });
    assert.deepEqual(await source({ REPRISE_RECOVERY_KEY: recoveryKey }).toOpen("r"), { recoveryKey });
    assert.deepEqual(await source({}, typingTerminal("typed\n")).toOpen("r"), { passphrase: "typed" });
  });

  it("what looks like a recovery key is one, wherever it was given", async () => {
    assert.deepEqual(await source({ REPRISE_PASSPHRASE: recoveryKey }).toOpen("r"), { recoveryKey });
    assert.deepEqual(await source({}, typingTerminal(`${recoveryKey}\n`)).toOpen("r"), { recoveryKey });
  });

  it("is asked for once, and again after it was forgotten", async () => {
    const secrets = source({}, typingTerminal("one\n", "two\n"));
    await secrets.toOpen("r");
    assert.deepEqual(await secrets.toOpen("r"), { passphrase: "one" });
    assert.ok(secrets.wasPrompted);
    secrets.forget();
    assert.deepEqual(await secrets.toOpen("r"), { passphrase: "two" });
  });

  it("a new one is typed twice, until both are equal", async () => {
    const secrets = source({}, typingTerminal("a\n", "b\n", "c\n", "c\n"));
    assert.equal(await secrets.forInit("r"), "c");
    assert.ok(secrets.written.some((text) => text.includes("differ")));
  });

  it("a new one is neither empty nor like a recovery key", async () => {
    await assertCode(source({}, typingTerminal("\n")).forInit("r"), "PASSPHRASE_EMPTY");
    await assertCode(source({ REPRISE_PASSPHRASE: recoveryKey }).forInit("r"), "PASSPHRASE_UNSUITABLE");
    await assertCode(source({ REPRISE_NEW_PASSPHRASE: recoveryKey }).another(undefined), "PASSPHRASE_UNSUITABLE");
  });

  it("is missing when nothing was given and there is nobody to ask", async () => {
    await assertCode(source({}).toOpen("r"), "PASSPHRASE_MISSING");
    await assertCode(source({ REPRISE_PASSPHRASE: "" }).forInit("r"), "PASSPHRASE_MISSING");
    await assertCode(source({ REPRISE_PASSPHRASE: "old" }).another(undefined), "PASSPHRASE_MISSING");
  });

  it("a file gives its text without one newline, or says what is wrong", async () => {
    const path = join(folder.path, "file");
    await writeFile(path, "two\nlines\n\n");
    assert.equal(await readSecretFile(path, never), "two\nlines\n");
    for (const contents of ["", "\n", Buffer.from([0xff, 0xfe]), "x".repeat(70_000)]) {
      await writeFile(path, contents);
      const error = await assertCode(readSecretFile(path, never), "PASSPHRASE_FILE_UNREADABLE");
      assert.ok(!error.message.includes("xxx"));
    }
    await assertCode(readSecretFile(join(folder.path, "absent"), never), "PASSPHRASE_FILE_UNREADABLE");
    await assertCode(readSecretFile("/dev/zero", never), "PASSPHRASE_FILE_UNREADABLE");
  });
});
