import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SecretStorage } from "vscode";
import { Passphrases } from "../../extension/secrets/passphrases.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";

/** As the editor keeps them, in memory. */
function storage(): { kept: Map<string, string>; storage: SecretStorage } {
  const kept = new Map<string, string>();
  const get = async (key: string) => kept.get(key);
  const store = async (key: string, value: string) => void kept.set(key, value);
  const remove = async (key: string) => void kept.delete(key);
  return { kept, storage: { get, store, delete: remove } as unknown as SecretStorage };
}

describe("secrets of the editor", () => {
  it("are kept by location, each kind by itself, and forgotten together", async () => {
    const { kept, storage: secrets } = storage();
    const passphrases = new Passphrases(secrets, {});
    await passphrases.keep("/a", "passphrase of a");
    await passphrases.keepKeeperKey("/a", "key of a");
    assert.deepEqual([await passphrases.get("/a"), await passphrases.keeperKey("/a")], ["passphrase of a", "key of a"]);
    assert.deepEqual([await passphrases.get("/b"), await passphrases.keeperKey("/b")], [undefined, undefined]);
    await passphrases.forgetKeeperKey("/a");
    assert.equal(await passphrases.get("/a"), "passphrase of a");
    await passphrases.keepKeeperKey("/a", "key of a");
    await passphrases.forget("/a");
    assert.equal(kept.size, 0);
  });

  it("come from the environment for the repository that it names, and for no other", async () => {
    const { path, remove } = await makeTemporaryFolder("secrets");
    try {
      const file = join(path, "keeper.pem");
      await writeFile(file, "key in a file");
      const of = (environment: Record<string, string>) => new Passphrases(storage().storage, environment);
      const named = { REPRISE_REPOSITORY: "/a" };
      assert.equal(await of({ ...named, REPRISE_RECOVERY_KEY: "RPRS1-x" }).get("/a"), "RPRS1-x");
      assert.equal(await of({ ...named, REPRISE_PASSPHRASE: "p", REPRISE_RECOVERY_KEY: "r" }).get("/a"), "p");
      assert.equal(await of({ ...named, REPRISE_PASSPHRASE: "p" }).get("/b"), undefined);
      for (const spelled of ["/a/", "file:///a", "/./a"])
        assert.equal(await of({ ...named, REPRISE_PASSPHRASE: "p" }).get(spelled), "p", spelled);
      assert.equal(await of({ REPRISE_PASSPHRASE: "p" }).get("/a"), undefined);
      assert.equal(await of({ ...named, REPRISE_KEEPER_KEY: "k" }).keeperKey("/a"), "k");
      assert.equal(await of({ ...named, REPRISE_KEEPER_KEY: "k" }).keeperKey("/b"), undefined);
      assert.equal(await of({ ...named, REPRISE_KEEPER_KEY_FILE: file }).keeperKey("/a"), "key in a file");
      assert.equal(await of({ ...named, REPRISE_KEEPER_KEY_FILE: path }).keeperKey("/a"), undefined);
    } finally {
      await remove();
    }
  });
});
