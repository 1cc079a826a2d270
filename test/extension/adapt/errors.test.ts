// What the log says about an error of a command: with a code, somebody expected it; without, it is a bug of ours.

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFile } from "node:fs/promises";
import { plainError } from "../../../extension/service/plainError.js";
import { importWithEditor } from "../support/handedOutEditor.js";

type Errors = typeof import("../../../extension/adapt/errors.js");
type Client = typeof import("../../../extension/service/client.js");

class FileSystemError extends Error {
  readonly code = "FileNotFound";
}

describe("errors in the log", () => {
  const lines: string[] = [];
  const log = { error: (line: string) => void lines.push(line), show: () => {} };
  let errors: Errors;
  const logged = async (error: unknown, command?: string) => {
    await errors.showError(error, log as never, command);
    return lines.splice(0).join("\n");
  };

  before(async () => {
    const window = { showErrorMessage: async () => undefined };
    errors = await importWithEditor<Errors>("adapt/errors.js", { FileSystemError, window, l10n: { t: String } });
  });

  it("name the command, and end with the code of the editor or the operating system", async () => {
    assert.equal(await logged(new FileSystemError("no a"), "openFile"), "openFile: no a [FileNotFound]");
    const missing = await readFile("/nowhere/at-all").catch((error: unknown) => error);
    assert.match(await logged(missing), /^ENOENT.* \[ENOENT\]$/);
    assert.equal(await logged(new FileSystemError("no a: do b [CHUNK_MISSING]")), "no a: do b [CHUNK_MISSING]");
  });

  it("are told to who listens when they are unexpected, and only then", async () => {
    const heard: unknown[] = [];
    const hear = (bug: unknown) => void heard.push(bug);
    subscribe("reprise.bugs", hear);
    await logged(new FileSystemError("no a"));
    await logged(new TypeError("no b"), "prune");
    unsubscribe("reprise.bugs", hear);
    assert.equal(heard.length, 1);
    assert.match(String(heard[0]), /^prune: no b \[UNEXPECTED\]\n/);
  });

  it("are unexpected without a code, on one line, and say where they come from", async () => {
    const line = await logged(new TypeError("no\nmethod"), "prune");
    assert.match(line, /^prune: no method \[UNEXPECTED\]\n/);
    assert.match(line, /errors\.test/);
    assert.match(await logged(Object.assign(new TypeError("x"), { code: "ERR_INVALID_ARG_TYPE" })), /x \[UNEXPECTED\]/);
    assert.equal(await logged("text"), "text [UNEXPECTED]");
    assert.equal(await logged(undefined), "undefined [UNEXPECTED]");
  });

  it("say of the service where in it an unexpected one comes from, and nothing of what was cancelled", async () => {
    const { ServiceError } = await importWithEditor<Client>("service/client.js", {});
    const { code, stack } = new ServiceError(plainError(new RangeError("\u001b[31mtoo far")));
    assert.equal(code, "UNEXPECTED");
    assert.match(stack ?? "", /^RangeError: .*too far\n.*errors\.test/s);
    assert.ok(!stack?.includes("\u001b"));
    assert.equal(await logged(new DOMException("gone", "AbortError"), "gc"), "");
  });
});
