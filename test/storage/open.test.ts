import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openBackend } from "../../core/storage/openBackend.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("openBackend", () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await makeTemporaryFolder("open");
  });
  afterEach(() => folder.remove());

  it("opens one folder by path and by URL", async () => {
    const path = join(folder.path, "my backups");
    await assertCode(openBackend(path), "STORAGE_NOT_FOUND");
    const byPath = await openBackend(path, { create: true });
    await byPath.put("a", new Uint8Array([1]));
    const byUrl = await openBackend(pathToFileURL(path).href);
    assert.deepEqual(await byUrl.get("a"), new Uint8Array([1]));
    assert.equal(byUrl.location, byPath.location);
  });

  it("opens named memories, each name one storage of this process", async () => {
    const one = await openBackend("memory:open-test-one");
    await one.put("a", new Uint8Array([1]));
    await one.close();
    assert.deepEqual(await (await openBackend("memory:open-test-one")).get("a"), new Uint8Array([1]));
    await assertCode((await openBackend("memory:open-test-two")).get("a"), "OBJECT_NOT_FOUND");
    assert.equal(one.location, "memory:open-test-one");
  });

  it("refuses other schemes without repeating what may be a password", async () => {
    for (const location of ["ftp://user:secret@host/x", "http://secret@x"]) {
      const error = await assertCode(openBackend(location), "STORAGE_SCHEME_UNSUPPORTED");
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error.data)} ${error.hint}`, /secret/);
    }
    for (const location of [
      "s3:https://key:secret@host/bucket",
      "s3:bucket?secret=secret",
      "S3:b?",
      "sftp://u:secret@h/x",
    ]) {
      const error = await assertCode(openBackend(location), "STORAGE_LOCATION_INVALID");
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error.data)} ${error.hint}`, /:secret|=secret/);
    }
    for (const location of ["", "memory:", "file://host/x", "file:%", "a\0b"]) {
      await assertCode(openBackend(location), "STORAGE_LOCATION_INVALID");
    }
  });
});
