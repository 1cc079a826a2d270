// Who is let in, and which server is believed: against a real sshd, on both transports.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { isAbort, type RepriseError } from "../../../core/errors.js";
import { openBackend } from "../../../core/storage/openBackend.js";
import { openSftpBackend, type SftpBackendOptions } from "../../../core/storage/sftp/openSftpBackend.js";
import { assertCode } from "../../support/assertCode.js";
import { type LocationOptions, type SshServer, sshServer } from "../../support/sshServer.js";

const canary = "canary-5e1f";
const noAgent = { ...process.env, SSH_AUTH_SOCK: undefined };

for (const transport of ["ssh2", "ssh"] as const) {
  describe(`SFTP login over ${transport}`, function () {
    this.timeout(60_000);
    let server: SshServer;
    let root: string;
    before(async () => {
      server = await sshServer();
      root = server.newRoot();
    });

    const open = async (options: LocationOptions, more: SftpBackendOptions = {}) => {
      const location = server.location(root, { transport, ...options });
      const backend = await openSftpBackend(location, { environment: noAgent, ...more });
      await backend.close();
      return backend;
    };
    const refuse = (options: LocationOptions, code: string, more: SftpBackendOptions = {}) =>
      assertCode(open(options, more), code);

    function knownHosts(name: string, line: string): string {
      const path = server.file(`${transport}-${name}`);
      writeFileSync(path, line);
      return path;
    }
    const hostLine = (key: string) => `[127.0.0.1]:${server.port} ${readFileSync(server.file(key), "utf8")}`;

    function assertNamesKey(error: RepriseError): void {
      assert.ok(error.message.includes(server.fingerprint), error.message);
      assert.ok(error.hint?.includes(`host-key=${server.fingerprint}`), error.hint);
    }

    it("takes a pinned fingerprint, and no other", async () => {
      await open({});
      assertNamesKey(await refuse({ hostKey: `SHA256:${"A".repeat(43)}` }, "SFTP_HOST_KEY_CHANGED"));
    });

    it("takes the key of a known_hosts file, hashed too", async () => {
      const path = knownHosts("plain", hostLine("hostKey.pub"));
      await open({ hostKey: null, knownHosts: path });
      execFileSync("ssh-keygen", ["-q", "-H", "-f", path], { stdio: "ignore" });
      await open({ hostKey: null, knownHosts: path });
    });

    it("refuses an unknown key and a changed one, and says how to pin it", async () => {
      const empty = knownHosts("empty", "");
      assertNamesKey(await refuse({ hostKey: null, knownHosts: empty }, "SFTP_HOST_KEY_UNKNOWN"));
      assert.equal(readFileSync(empty, "utf8"), "", "nothing is accepted silently");
      const other = knownHosts("other", hostLine("otherHostKey.pub"));
      assertNamesKey(await refuse({ hostKey: null, knownHosts: other }, "SFTP_HOST_KEY_CHANGED"));
      const revoked = knownHosts("revoked", `@revoked ${hostLine("hostKey.pub")}`);
      await refuse({ hostKey: null, knownHosts: revoked }, "SFTP_HOST_KEY_CHANGED");
    });

    it("says who is not let in", async () => {
      await refuse({ identity: server.file("strangerKey") }, "SFTP_AUTH_FAILED");
      await refuse({ user: "nobody-of-that-name" }, "SFTP_AUTH_FAILED");
    });

    it("uses an agent", async () => {
      const said = execFileSync("ssh-agent", ["-s"], { encoding: "utf8" });
      const [, socket = ""] = /SSH_AUTH_SOCK=([^;]+)/.exec(said) ?? [];
      const [, pid = ""] = /SSH_AGENT_PID=(\d+)/.exec(said) ?? [];
      const environment = { ...noAgent, SSH_AUTH_SOCK: socket };
      try {
        await refuse({ identity: null, user: server.user }, "SFTP_AUTH_FAILED", { environment });
        execFileSync("ssh-add", ["-q", server.file("clientKey")], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
        await open({ identity: null }, { environment });
      } finally {
        process.kill(Number(pid));
      }
    });

    it("gives a network's fault as one that may pass", async () => {
      const place = `sftp://${server.user}@127.0.0.1:1${root}?transport=${transport}&connect-timeout=5`;
      const error = await assertCode(openSftpBackend(place), "STORAGE_FAILED");
      assert.equal(error.retry, "later");
      assert.match(error.message, /refused/i);
    });

    it("gives a server up that accepts connections and says nothing", async () => {
      const silent = createServer().listen(0, "127.0.0.1");
      await once(silent, "listening");
      const { port } = silent.address() as AddressInfo;
      const startedMs = performance.now();
      try {
        const place = `sftp://${server.user}@127.0.0.1:${port}${root}?transport=${transport}&connect-timeout=1`;
        const error = await assertCode(openSftpBackend(place), "STORAGE_FAILED");
        assert.equal(error.retry, "later");
        assert.ok(performance.now() - startedMs < 90_000);
      } finally {
        silent.close();
      }
    });

    it("can be interrupted while it connects, and leaves no connection", async () => {
      const silent = createServer().listen(0, "127.0.0.1");
      await once(silent, "listening");
      const { port } = silent.address() as AddressInfo;
      const interrupt = new AbortController();
      const place = `sftp://${server.user}@127.0.0.1:${port}${root}?transport=${transport}&connect-timeout=60`;
      const opening = openBackend(place, { signal: interrupt.signal });
      const [socket] = (await once(silent, "connection")) as [Socket];
      const ended = once(
        socket.resume().on("error", () => {}),
        "close",
      );
      interrupt.abort();
      await assert.rejects(opening, isAbort);
      await ended;
      silent.close();
      await assert.rejects(openBackend(place, { signal: interrupt.signal }), isAbort);
    });
  });
}

describe("SFTP secrets", function () {
  this.timeout(60_000);
  let server: SshServer;
  let root: string;
  before(async () => {
    server = await sshServer();
    root = server.newRoot();
  });

  const textOf = (error: RepriseError): string => {
    const { message, hint, data, stack, cause } = error;
    return [message, hint, JSON.stringify(data), stack, String(cause), (cause as Error | undefined)?.stack].join("\n");
  };

  it("opens an encrypted key with the passphrase from the environment", async () => {
    const location = server.location(root, { identity: server.file("lockedKey") });
    const withPassphrase = (REPRISE_SFTP_KEY_PASSPHRASE: string | undefined) =>
      openSftpBackend(location, { environment: { ...noAgent, REPRISE_SFTP_KEY_PASSPHRASE } });
    await (await withPassphrase("key phrase")).close();
    const wrong = await assertCode(withPassphrase(canary), "SFTP_IDENTITY_INVALID");
    assert.doesNotMatch(textOf(wrong), /canary/);
    assert.match(`${wrong.message}; ${wrong.hint}`, /cannot be decrypted; .* is not this key's passphrase/);
    const missing = await assertCode(withPassphrase(undefined), "SFTP_IDENTITY_INVALID");
    assert.match(`${missing.message}; ${missing.hint}`, /is encrypted; set REPRISE_SFTP_KEY_PASSPHRASE/);
  });

  it("says what is wrong with a key file", async () => {
    const notAKey = server.file("hostKey.pub");
    await assertCode(openSftpBackend(server.location(root, { identity: "/none" })), "SFTP_IDENTITY_INVALID");
    writeFileSync(server.file("rubbish"), canary);
    for (const identity of [server.file("rubbish"), notAKey]) {
      const opening = openSftpBackend(server.location(root, { identity }), { environment: noAgent });
      const error = await opening.then(
        () => assert.fail("rubbish is no key"),
        (thrown: RepriseError) => thrown,
      );
      assert.equal(error.code, "SFTP_IDENTITY_INVALID");
      assert.doesNotMatch(textOf(error), /canary/);
    }
  });

  it("tries the password of the environment, and does not print it", async () => {
    const environment = { ...noAgent, REPRISE_SFTP_PASSWORD: canary };
    const location = server.location(root, { identity: server.file("strangerKey") });
    const error = await assertCode(openSftpBackend(location, { environment }), "SFTP_AUTH_FAILED");
    assert.deepEqual(error.data.tried, ["private key", "password"]);
    assert.doesNotMatch(textOf(error), /canary/);
  });

  it("does not give our secrets to the system's ssh", async () => {
    const backend = await openSftpBackend(server.location(root, { transport: "ssh" }), {
      environment: {
        ...noAgent,
        REPRISE_PASSPHRASE: canary,
        REPRISE_SFTP_PASSWORD: canary,
        AWS_SECRET_ACCESS_KEY: canary,
        AWS_SESSION_TOKEN: canary,
        OTHER_TOKEN: canary,
      },
    });
    try {
      const processes = execFileSync("ps", ["eww", "-C", "ssh", "-o", "args"], { encoding: "utf8" });
      assert.match(processes, /sftp/);
      assert.doesNotMatch(processes, new RegExp(canary)); // other tests have canaries of their own
    } finally {
      await backend.close();
    }
  });
});
