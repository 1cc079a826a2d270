import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { hostKeyUnknown } from "../../../core/storage/sftp/hostKeyCheck.js";
import { parseSftpLocation } from "../../../core/storage/sftp/sftpLocation.js";
import { assertCode } from "../../support/assertCode.js";

const print = `SHA256:${"+a/".repeat(14)}b`;

describe("sftp locations", () => {
  it("name a user, a host, a port and a path", () => {
    const place = parseSftpLocation("sftp://back%2Bup@host.example:2222/srv/my%20backups/");
    const { user, host, port, path } = place;
    assert.deepEqual([user, host, port, path], ["back+up", "host.example", 2222, "/srv/my backups"]);
    assert.deepEqual([place.transport, place.connections, place.connectTimeoutMs], ["ssh2", 2, 20_000]);
  });

  it("need no user and no port, and take addresses", () => {
    const place = parseSftpLocation("SFTP://[2001:db8::1]/srv/b");
    assert.deepEqual([place.user, place.host, place.port, place.path], [undefined, "2001:db8::1", undefined, "/srv/b"]);
    assert.equal(parseSftpLocation("sftp://[::1]:2222/b").port, 2222);
  });

  it("may mean the home folder", () => {
    assert.equal(parseSftpLocation("sftp://h/~/backup/vm").path, "backup/vm");
    assert.equal(parseSftpLocation("sftp://h/~").path, "");
    assert.equal(
      parseSftpLocation("sftp://h/~other/x").path,
      "/~other/x",
      "another user's home is the server's matter",
    );
  });

  it("take options, in which a plus sign is one, and do not show them", () => {
    const place = parseSftpLocation(
      `sftp://u@h/b?transport=ssh&host-key=${print}=&identity=~/k%26y&known-hosts=/etc/kh&connections=4&connect-timeout=5`,
    );
    assert.equal(place.hostKey, print);
    assert.deepEqual([place.identity, place.knownHosts], [join(homedir(), "k&y"), "/etc/kh"]);
    assert.deepEqual([place.transport, place.connections, place.connectTimeoutMs], ["ssh", 4, 5000]);
    assert.equal(place.shown, "sftp://u@h/b");
  });

  it("get a fingerprint as their first option, or as one more", () => {
    const hintFor = (location: string) => hostKeyUnknown(parseSftpLocation(location), "ssh-ed25519", print).hint;
    assert.ok(hintFor("sftp://h/b")?.includes(`add ?host-key=${print} to`));
    assert.ok(hintFor("sftp://h/b?transport=ssh")?.includes(`add &host-key=${print} to`));
  });

  it("that make no sense are refused, and never repeated", async () => {
    const bad = [
      "sftp:host/b",
      "sftp://",
      "sftp://h",
      "sftp://h/",
      "sftp:///srv/b",
      "sftp://canary:canary@h/b",
      "sftp://u:canary@h/b?transport=ssh",
      "sftp://h/b#canary",
      "sftp://h/%canary",
      "sftp://h/a%00canary",
      "sftp://-oProxyCommand=canary/b",
      "sftp://-canary@h/b",
      "sftp://h:canary/b",
      "sftp://h/b?password=canary",
      "sftp://h/b?transport=canary",
      "sftp://h/b?host-key=MD5:canary",
      "sftp://h/b?connections=0",
      "sftp://h/b?connections=9",
      "sftp://h/b?connect-timeout=1e9",
      "sftp://h/b?identity=",
      "sftp://h/b?identity=a&identity=canary",
    ];
    for (const location of bad) {
      const error = await assertCode((async () => parseSftpLocation(location))(), "STORAGE_LOCATION_INVALID", location);
      assert.doesNotMatch(
        `${error.message} ${error.hint} ${JSON.stringify(error.data)} ${String(error.cause)}`,
        /canary/,
      );
    }
  });
});
