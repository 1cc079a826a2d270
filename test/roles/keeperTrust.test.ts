import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sealEnvelope } from "../../core/crypto/envelopeSeal.js";
import { isSignedBy, KeeperKey } from "../../core/crypto/keeperKey.js";
import { encodeConfig } from "../../core/format/config.js";
import { objectName } from "../../core/format/ids.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";

describe("the keeper's key", () => {
  it("survives PEM, signs, and refuses other keys", () => {
    const key = KeeperKey.generate();
    const again = KeeperKey.fromPem(key.toPem());
    assert.equal(again.publicKey, key.publicKey);
    assert.match(key.fingerprint, /^[0-9a-f]{32}$/);
    const statement = new TextEncoder().encode("statement");
    const signature = again.sign(statement);
    assert.ok(isSignedBy(key.publicKey, statement, signature));
    assert.ok(!isSignedBy(key.publicKey, statement.subarray(1), signature));
    assert.ok(!isSignedBy(KeeperKey.generate().publicKey, statement, signature));
    assert.ok(!isSignedBy("00", statement, "zz"));
    assert.throws(() => KeeperKey.fromPem("secret"), { code: "KEEPER_KEY_INVALID" });
  });
});

describe("trust in the keeper", () => {
  let folder: TemporaryFolder;
  let made: TestRepository;
  const key = KeeperKey.generate();
  const stateFolder = () => join(folder.path, "state");
  const trust = () => ({ stateFolder: stateFolder() });

  beforeEach(async () => {
    folder = await makeTemporaryFolder("trust");
    made = await TestRepository.make({ keeperKey: key });
  });

  afterEach(() => folder.remove());

  /** What a thief with the repository's key can write, when nobody keeps it from overwriting the config. */
  async function forgeConfig(keeper: string | null): Promise<void> {
    const { keyring } = made.repository;
    const config = { ...made.repository.config, keeper, mac: null };
    const sealed = encodeConfig({ ...config, mac: keyring?.configMac(config) ?? null });
    await made.backend.put(objectName.config, sealEnvelope(objectName.config, "config", sealed, null));
  }

  it("pins the keeper when it is met first, and refuses another one or none", async () => {
    const met: string[] = [];
    const onFirstMeeting = (fingerprint: string) => void met.push(fingerprint);
    await made.reopen({ trust: { ...trust(), onFirstMeeting } });
    await made.reopen({ trust: { ...trust(), onFirstMeeting } });
    assert.deepEqual(met, [key.fingerprint]);
    for (const forged of [KeeperKey.generate().publicKey, null]) {
      await forgeConfig(forged);
      await assertCode(made.reopen({ trust: trust() }), "CONFIG_KEEPER_CHANGED");
      // without trust nothing is known
      await made.reopen();
    }
  });

  it("notices another repository in the same place", async () => {
    await made.reopen({ trust: trust() });
    const other = await TestRepository.make({ encrypted: false });
    await assertCode(made.reopen({ backend: other.backend, trust: trust() }), "CONFIG_KEEPER_CHANGED");
    await made.reopen({ backend: other.backend, trust: { ...trust(), expected: "none" } });
  });

  it("takes an explicit fingerprint instead of a pin", async () => {
    const explicit = (expected: string) => made.reopen({ trust: { stateFolder: null, expected } });
    await explicit(key.fingerprint);
    await assertCode(explicit(KeeperKey.generate().fingerprint), "CONFIG_KEEPER_CHANGED");
    await assertCode(explicit("none"), "CONFIG_KEEPER_CHANGED");
  });

  it("refuses a keeper's key that is not the config's", async () => {
    await made.reopen({ keeperKey: key, trust: trust() });
    await assertCode(made.reopen({ keeperKey: KeeperKey.generate() }), "KEEPER_KEY_WRONG");
    await forgeConfig(null);
    await assertCode(made.reopen({ keeperKey: key }), "KEEPER_KEY_WRONG");
  });

  it("fails when what it knows cannot be read, and warns when it cannot be written", async () => {
    await made.reopen({ trust: trust() });
    const { repositoryId } = made.repository.config;
    await writeFile(join(stateFolder(), "keepers", `${repositoryId}.json`), "{");
    await assertCode(made.reopen({ trust: trust() }), "KEEPER_PIN_UNREADABLE");
    const file = join(folder.path, "file");
    await writeFile(file, "");
    await made.reopen({ trust: { stateFolder: file } });
    assert.deepEqual(made.takeWarnings(), ["KEEPER_NOT_PINNED"]);
  });

  it("does without pins in a repository with one role", async () => {
    const plain = await TestRepository.make({ encrypted: false });
    await plain.reopen({ trust: trust() });
    await plain.reopen({ trust: { stateFolder: null, expected: "none" } });
  });
});
