import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findKnownKeys, fingerprint, hostName, keyType } from "../../../core/storage/sftp/knownHosts.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";

describe("known_hosts", () => {
  let folder: TemporaryFolder;
  let key: string;
  let print: string;
  before(async () => {
    folder = await makeTemporaryFolder("known-hosts");
    const path = join(folder.path, "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    key = readFileSync(`${path}.pub`, "utf8").trim();
    print = execFileSync("ssh-keygen", ["-lf", path], { encoding: "utf8" }).split(" ")[1]!;
  });
  after(() => folder.remove());

  const trusted = (text: string, host: string, port = 22) =>
    findKnownKeys(text, host, port).trusted.map(({ blob }) => fingerprint(blob));

  it("names keys as ssh-keygen does", () => {
    const [{ blob, type }] = findKnownKeys(`host ${key}`, "host", 22).trusted as [{ blob: Uint8Array; type: string }];
    assert.deepEqual([fingerprint(blob), type, keyType(blob)], [print, "ssh-ed25519", "ssh-ed25519"]);
    assert.equal(keyType(new Uint8Array([0, 0, 0, 200, 1])), "unknown");
    assert.equal(keyType(new Uint8Array(2)), "unknown");
  });

  it("finds hosts by name, list, pattern and port", () => {
    assert.deepEqual(trusted(`one,Two,192.0.2.7 ${key}`, "TWO"), [print]);
    assert.deepEqual(trusted(`one ${key}`, "one", 2222), []);
    assert.deepEqual(trusted(`[one]:2222 ${key}`, "one", 2222), [print]);
    assert.deepEqual(trusted(`*.example,!bad.example ${key}`, "good.example"), [print]);
    assert.deepEqual(trusted(`*.example,!bad.example ${key}`, "bad.example"), []);
    assert.deepEqual(trusted(`h?st ${key}`, "host"), [print]);
    assert.deepEqual(trusted(`[*]:2222 ${key}`, "any", 2222), [print]);
    assert.equal(hostName("2001:DB8::1", 2222), "[2001:db8::1]:2222");
  });

  it("finds hashed names that ssh-keygen made", () => {
    const path = join(folder.path, "hashed");
    writeFileSync(path, `one ${key}\n[two]:2222 ${key}\n`);
    execFileSync("ssh-keygen", ["-q", "-H", "-f", path], { stdio: "ignore" });
    const text = readFileSync(path, "utf8");
    assert.doesNotMatch(text, /one|two/);
    assert.deepEqual(trusted(text, "one"), [print]);
    assert.deepEqual(trusted(text, "two", 2222), [print]);
    assert.deepEqual(trusted(text, "two"), []);
  });

  it("knows revoked keys, and takes nothing from lines it does not understand", () => {
    const text = [
      `# host ${key}`,
      `@revoked host ${key}`,
      `@cert-authority host ${key}`,
      `@new host ${key}`,
      "host ssh-ed25519",
      "host",
      "|1|x host",
    ].join("\n");
    const { trusted: keys, revoked } = findKnownKeys(text, "host", 22);
    assert.deepEqual([keys.length, revoked.length], [0, 1]);
  });

  it("is not slowed down by a hostile pattern", () => {
    const startedMs = performance.now();
    trusted(`${"*a".repeat(2000)}b ${key}`, "a".repeat(250));
    assert.ok(performance.now() - startedMs < 30_000);
  });
});
