import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ConfiguredRepositories,
  type OpenConfiguredOptions,
  openConfiguredRepository,
  signingKeyOf,
} from "../../core/config/openConfigured.js";
import type { RepriseConfig } from "../../core/config/repriseConfig.js";
import { resolveSecret } from "../../core/config/resolveSecret.js";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TEST_PASSPHRASE, TestEnvironment, TestRepository } from "../support/testRepository.js";
import { configOf } from "./configText.js";

const signal = new AbortController().signal;
const CANARY = "canary-4711-secret";

describe("a repository of a configuration", () => {
  let folder: TemporaryFolder;

  before(async () => {
    folder = await makeTemporaryFolder("open-configured");
    await mkdir(join(folder.path, "store"));
    const backend = await openLocalBackend(join(folder.path, "store"));
    await TestRepository.make({ backend });
    await backend.close();
  });

  after(async () => {
    await folder.remove();
  });

  async function read(fields: string, more = ""): Promise<RepriseConfig> {
    const config = await configOf(`repositories:\n  main: {${fields}}\n${more}`);
    return { ...config, fileName: join(folder.path, "reprise.yml") };
  }

  async function open(
    config: RepriseConfig,
    env: Record<string, string>,
    options: Partial<OpenConfiguredOptions> = {},
  ) {
    const repository = await openConfiguredRepository(config, "main", {
      ...{
        env,
        environment: new TestEnvironment(1),
        cacheFolder: null,
        stateFolder: null,
        signal,
        onWarning: () => {},
      },
      ...options,
    });
    await repository.backend.close();
    return repository;
  }

  it("opens with a secret of a variable, of a file, or of the usual variables", async () => {
    await writeFile(join(folder.path, "pass"), `${TEST_PASSPHRASE}\n`);
    await open(await read("location: store, passphrase: 'env:MINE'"), { MINE: TEST_PASSPHRASE });
    await open(await read("location: store, passphrase: 'file:pass'"), {});
    await open(await read("location: store"), { REPRISE_PASSPHRASE: TEST_PASSPHRASE });
    await open(await read("location: store"), { REPRISE_PASSPHRASE_FILE: join(folder.path, "pass") });
    await open(await read("location: store"), {}, { lastSecret: async () => ({ passphrase: TEST_PASSPHRASE }) });
  });

  it("is the one whose id the file names, or none", async () => {
    const env = { REPRISE_PASSPHRASE: TEST_PASSPHRASE };
    const { repositoryId } = (await open(await read("location: store"), env)).config;
    await open(await read(`location: store, id: "${repositoryId}"`), env);
    const other = await read(`location: store, id: "${"ab".repeat(16)}"`);
    await assertCode(open(other, env), "REPOSITORY_ID_DIFFERS");
    await open(other, env, { location: join(folder.path, "store") });
  });

  it("asks the configuration before the environment, and what the caller says before both", async () => {
    const config = await read("location: store, passphrase: 'env:MINE'");
    await open(config, { MINE: TEST_PASSPHRASE, REPRISE_PASSPHRASE: CANARY });
    await open(config, { MINE: CANARY }, { secret: async () => ({ passphrase: TEST_PASSPHRASE }) });
    await assertCode(open(config, { MINE: CANARY, REPRISE_PASSPHRASE: TEST_PASSPHRASE }), "PASSPHRASE_WRONG");
  });

  it("is where the file says, its variable, or the variable with its name", async () => {
    const store = join(folder.path, "store");
    const env = { REPRISE_PASSPHRASE: TEST_PASSPHRASE };
    await open(await read(`location: ${store}`), env);
    await open(await read("location: 'env:PLACE'"), { ...env, PLACE: store });
    await open(await read("location: elsewhere"), { ...env, REPRISE_REPOSITORY_MAIN: store });
    const shown = async (body: string, more: Record<string, string>) =>
      (await open(await read(body), { ...env, ...more })).shownLocation;
    assert.equal(await shown("location: 'env:PLACE'", { PLACE: store }), "env:PLACE");
    assert.equal(await shown("location: elsewhere", { REPRISE_REPOSITORY_MAIN: store }), "env:REPRISE_REPOSITORY_MAIN");
    assert.equal(await shown(`location: ${store}`, {}), store);
    const missing = await assertCode(open(await read("location: 'env:PLACE'"), env), "REPOSITORY_LOCATION_MISSING");
    assert.match(`${missing.message} ${missing.hint}`, /main.*PLACE.*REPRISE_REPOSITORY_MAIN/);
    await assertCode(
      open(await read("location: 'env:PLACE'"), { ...env, PLACE: "s3:https://a:b@h/b" }),
      "STORAGE_LOCATION_INVALID",
    );
  });

  it("tells the name of a secret, and never what it is", async () => {
    const secretFile = join(folder.path, "unreadable");
    await writeFile(secretFile, new Uint8Array([0xff, 0xfe, 0x41]));
    const cases: [string, string, Record<string, string>][] = [
      ["passphrase: 'env:MINE'", "SECRET_MISSING", { OTHER: CANARY }],
      ["passphrase: 'env:MINE'", "PASSPHRASE_WRONG", { MINE: CANARY }],
      ["passphrase: 'file:nowhere'", "SECRET_UNREADABLE", {}],
      ["passphrase: 'file:unreadable'", "SECRET_UNREADABLE", {}],
      ["keeper-key: 'env:KEY'", "KEEPER_KEY_INVALID", { KEY: CANARY }],
      ["description: x", "PASSPHRASE_MISSING", {}],
    ];
    for (const [field, code, env] of cases) {
      const config = await read(code === "PASSPHRASE_MISSING" ? "location: store" : `location: store, ${field}`);
      const error = await assertCode(open(config, env), code);
      const chain = [error, error.cause].map((each) => `${JSON.stringify(each)} ${String(each)}`).join(" ");
      assert.ok(!chain.includes(CANARY), code);
    }
  });

  it("takes the keeper's key and the trusted keeper that it names", async () => {
    const pem = KeeperKey.generate().toPem();
    const env = { REPRISE_PASSPHRASE: TEST_PASSPHRASE, KEY: pem };
    await open(await read("location: store, trust-keeper: none"), env);
    // the repository has no keeper: that the key arrives is seen by its being refused
    const config = await read("location: store, keeper-key: 'env:KEY'");
    await assert.rejects(open(config, env), /names no keeper, the given key is/);
    const other = await read(`location: store, trust-keeper: ${"0".repeat(32)}`);
    await assert.rejects(open(other, env));
    await assertCode(
      open(await read("location: store"), { ...env, REPRISE_TRUST_KEEPER: "x" }),
      "KEEPER_TRUST_INVALID",
    );
  });

  it("is not told by texts when only the environment knows where it is", async () => {
    const config = await read("location: 'env:PLACE'");
    const place = { environment: new TestEnvironment(1), signal, onWarning: () => {} };
    const shown = (env: Record<string, string>, text: string) =>
      new ConfiguredRepositories(config, { ...place, env }).withoutLocations(text);
    assert.equal(shown({ PLACE: "/srv/secret" }, "/srv/secret/packs: gone"), "env:PLACE/packs: gone");
    assert.equal(shown({ REPRISE_REPOSITORY_MAIN: "/srv/x" }, "/srv/x"), "env:REPRISE_REPOSITORY_MAIN");
    assert.equal(shown({ PLACE: "abc" }, "abc is no word"), "abc is no word");
    assert.equal(shown({}, "nothing"), "nothing");
  });

  it("is opened once, again after it failed, and closed with the others", async () => {
    const config = await read("location: store");
    const env: Record<string, string> = {};
    const options = {
      env,
      environment: new TestEnvironment(1),
      cacheFolder: null,
      stateFolder: null,
      signal,
      onWarning: () => {},
    };
    const repositories = new ConfiguredRepositories(config, options);
    await assertCode(repositories.open("main"), "PASSPHRASE_MISSING");
    await assertCode(repositories.open("other"), "REPOSITORY_UNKNOWN");
    env.REPRISE_PASSPHRASE = TEST_PASSPHRASE;
    const [one, two] = await Promise.all([repositories.open("main"), repositories.open("main")]);
    assert.equal(one, two);
    await repositories.close();
    await repositories.close();
  });

  it("signs with the key that is named, else with the usual one, else not at all", async () => {
    const [one, two] = [SigningKey.generate(), SigningKey.generate()];
    const named = await read("location: store", "evidence: {signing-key: 'env:MINE'}\n");
    const env = { MINE: one.toPem(), REPRISE_SIGNING_KEY: two.toPem() };
    assert.equal((await signingKeyOf(named, { env, signal }))?.verificationKey.keyId, one.verificationKey.keyId);
    const usual = await read("location: store");
    assert.equal((await signingKeyOf(usual, { env, signal }))?.verificationKey.keyId, two.verificationKey.keyId);
    assert.equal(await signingKeyOf(usual, { env: {}, signal }), undefined);
    await assertCode(signingKeyOf(named, { env: {}, signal }), "SECRET_MISSING");
    await assertCode(signingKeyOf(named, { env: { MINE: CANARY }, signal }), "SIGNING_KEY_INVALID");
  });

  it("reads a secret from a file that only its owner may read", async () => {
    const path = join(folder.path, "token");
    await writeFile(path, "abc\r\n");
    await chmod(path, 0o600);
    assert.equal(await resolveSecret({ kind: "file", path: "token" }, { env: {}, folder: folder.path, signal }), "abc");
  });
});
