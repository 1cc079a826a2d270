// Logging in with a password, against the library's own server: a real sshd would need a user of this machine.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import ssh2, { type AuthContext } from "ssh2";
import { openSftpBackend } from "../../../core/storage/sftp/openSftpBackend.js";
import { assertCode } from "../../support/assertCode.js";
import { type SshServer, sshServer } from "../../support/sshServer.js";

type Method = "password" | "keyboard-interactive";

/** Lets one password in, by one method, and hands the line to OpenSSH's sftp-server. */
async function passwordServer(hostKey: Buffer, method: Method, password: string) {
  const decide = (context: AuthContext) => {
    if (context.method !== method) return context.reject([method]);
    if (context.method === "password") return context.password === password ? context.accept() : context.reject();
    if (context.method !== "keyboard-interactive") return;
    context.prompt([{ prompt: "Password: ", echo: false }], ([answer]) =>
      answer === password ? context.accept() : context.reject(),
    );
  };
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", decide);
    client.on("session", (accept) => {
      accept().on(
        "subsystem",
        (acceptChannel: () => NodeJS.ReadWriteStream, _reject: unknown, { name }: { name: string }) => {
          assert.equal(name, "sftp");
          const child = spawn("/usr/lib/openssh/sftp-server", [], { stdio: ["pipe", "pipe", "ignore"] });
          const channel = acceptChannel();
          channel.pipe(child.stdin);
          child.stdout.pipe(channel);
        },
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe("SFTP with a password", function () {
  this.timeout(30_000);
  let real: SshServer;
  before(async () => {
    real = await sshServer();
  });

  for (const method of ["password", "keyboard-interactive"] as const) {
    it(`logs in by ${method}, with the right one only`, async () => {
      const server = await passwordServer(readFileSync(real.file("hostKey")), method, "canary right");
      try {
        const location = `sftp://someone@127.0.0.1:${server.port}${real.newRoot()}?host-key=${real.fingerprint}`;
        const open = (password: string) =>
          openSftpBackend(location, { environment: { REPRISE_SFTP_PASSWORD: password } });
        const backend = await open("canary right");
        await backend.put("a", new Uint8Array([1]));
        assert.deepEqual(await backend.get("a"), new Uint8Array([1]));
        await backend.close();
        const error = await assertCode(open("canary wrong"), "SFTP_AUTH_FAILED");
        assert.doesNotMatch(`${error.message} ${error.hint} ${JSON.stringify(error.data)} ${error.stack}`, /canary/);
      } finally {
        server.close();
      }
    });
  }
});
