// A server that is not what it should be: replies that lie, break off, never come, or are no SFTP. Errors, no crash, no
// memory on its word, no waiting for ever.

import assert from "node:assert/strict";
import fc from "fast-check";
import { isOurError } from "../../../core/errors.js";
import { openSftpBackend } from "../../../core/storage/sftp/openSftpBackend.js";
import { isLineError, SftpClient, SftpStatusError } from "../../../core/storage/sftp/sftpClient.js";
import { counted, PACKET, packet, STATUS, u32, u64 } from "../../../core/storage/sftp/sftpPacket.js";
import { type ScriptedLine, scriptedLine } from "../../support/sftpLines.js";

/** For servers that say nothing. */
const IMPATIENT_MS = 1000;
/** For all others: a busy machine is no silent server. */
const PATIENT_MS = 100_000;
const version = packet(PACKET.version, [u32(3)]);
const limits = (bytes: number) =>
  packet(PACKET.version, [u32(3), counted("limits@openssh.com"), counted(String(bytes))]);
const status = (id: number, code: number, text = "") =>
  packet(PACKET.status, [u32(id), u32(code), counted(text), counted("")]);

/** A client whose server answers `reply(id)` to everything after the handshake. */
async function clientOf(
  reply: (id: number) => Uint8Array | undefined,
  idleMs = PATIENT_MS,
): Promise<{ client: SftpClient; line: ScriptedLine }> {
  const line = scriptedLine((request) => {
    if (request[4] === PACKET.init) return version;
    return reply(new DataView(request.buffer, request.byteOffset).getUint32(5));
  });
  const client = new SftpClient(line, { idleTimeoutMs: idleMs });
  await client.start();
  return { client, line };
}

const requests: ((client: SftpClient) => Promise<unknown>)[] = [
  (client) => client.openToRead("x"),
  (client) => client.stat("x"),
  (client) => client.read(new Uint8Array(4), 0, new Uint8Array(100)),
  (client) => client.write(new Uint8Array(4), 0, new Uint8Array(100)),
  (client) => client.readFolder(new Uint8Array(4)),
  (client) => client.realPath("."),
  (client) => client.space("."),
  (client) => client.remove("x"),
];

describe("an SFTP server that lies", function () {
  this.timeout(30_000);

  it("sends replies that make no sense: the line is given up", async () => {
    const replies: [string, (id: number) => Uint8Array][] = [
      ["a length of 4 GiB", () => u32(0xffffffff)],
      ["a length beyond the limit", () => u32(256 * 1024 + 1)],
      ["a length of 0", () => u32(0)],
      ["a type only", () => packet(PACKET.data, [])],
      ["an unknown type", (id) => packet(77, [u32(id)])],
      ["a reply to nothing", (id) => status(id + 7, STATUS.ok)],
      ["a status without a code", (id) => packet(PACKET.status, [u32(id)])],
      ["a status text of 4 GiB", (id) => packet(PACKET.status, [u32(id), u32(4), u32(0xffffffff)])],
      ["a count of 4 billion names", (id) => packet(PACKET.name, [u32(id), u32(0xffffffff)])],
      ["names that are missing", (id) => packet(PACKET.name, [u32(id), u32(2), counted("a"), counted(""), u32(0)])],
      ["a handle of 4 GiB", (id) => packet(PACKET.handle, [u32(id), u32(0xfffffff0)])],
      ["a handle of 300 bytes", (id) => packet(PACKET.handle, [u32(id), counted(new Uint8Array(300))])],
      ["more data than asked for", (id) => packet(PACKET.data, [u32(id), counted(new Uint8Array(101))])],
      ["no data at all", (id) => packet(PACKET.data, [u32(id), counted("")])],
      ["a size beyond 2^53", (id) => packet(PACKET.attributes, [u32(id), u32(1), u32(0x7fffffff), u32(0)])],
      ["billions of attributes", (id) => packet(PACKET.attributes, [u32(id), u32(0x80000000), u32(0xffffffff)])],
      ["free space that is missing", (id) => packet(PACKET.extendedReply, [u32(id), u64(1)])],
    ];
    for (const [what, reply] of replies) {
      for (const [index, ask] of requests.entries()) {
        const { client, line } = await clientOf(reply);
        const error = await ask(client).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        const refused = error instanceof SftpStatusError || (isLineError(error) && error.kind === "protocol");
        assert.ok(refused, `${what}, request ${index}: ${String(error)}`);
        if (isLineError(error)) assert.ok(line.destroyed && client.ended !== undefined);
        client.end();
      }
    }
  });

  it("is no SFTP server, or one of another version", async () => {
    const greetings = [
      new TextEncoder().encode("Welcome to our machine!\r\n"),
      packet(PACKET.version, [u32(6)]),
      packet(PACKET.version, []),
      packet(PACKET.version, [u32(3), u32(0xffffffff)]),
      packet(PACKET.version, [u32(3), counted("odd")]),
      packet(PACKET.version, [u32(3), ...Array.from({ length: 300 }, () => counted("x"))]),
      status(0, STATUS.ok),
    ];
    for (const greeting of greetings) {
      const line = scriptedLine(() => greeting);
      await assert.rejects(
        new SftpClient(line, { idleTimeoutMs: PATIENT_MS }).start(),
        (error) => isLineError(error) && error.kind === "protocol",
      );
      assert.ok(line.destroyed);
    }
  });

  it("gives limits that make no sense: they do not count", async () => {
    for (const huge of [0xffffffff, 0, 1]) {
      const line = scriptedLine((request) => {
        if (request[4] === PACKET.init) return limits(1);
        const words = Array.from({ length: 8 }, () => u32(huge));
        return packet(PACKET.extendedReply, [u32(0), ...words]);
      });
      const client = new SftpClient(line, { idleTimeoutMs: PATIENT_MS });
      await client.start();
      for (const bytes of [client.readBytes, client.writeBytes]) assert.ok(bytes >= 1024 && bytes <= 255 * 1024);
      client.end();
    }
  });

  it("falls silent, or hangs up: every request ends", async () => {
    const { client } = await clientOf(() => undefined, IMPATIENT_MS);
    const asked = requests.map((ask) => ask(client));
    for (const request of asked) {
      await assert.rejects(request, (error) => isLineError(error) && error.kind === "silent");
    }
    await assert.rejects(client.stat("x"), isLineError);
    const other = await clientOf(() => undefined);
    const waiting = other.client.stat("x");
    other.line.hangUp();
    await assert.rejects(waiting, (error) => isLineError(error) && error.kind === "lost");
  });

  it("answers some and starves one: that one ends, too", async () => {
    const { client } = await clientOf((id) => (id === 0 ? undefined : status(id, STATUS.noSuchFile)), IMPATIENT_MS);
    const starved = client.stat("starved");
    starved.catch(() => undefined);
    const startedMs = performance.now();
    while (client.ended === undefined && performance.now() - startedMs < 100_000) {
      await client.stat("x").catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await assert.rejects(starved, (error) => isLineError(error) && error.kind === "silent");
  });

  it("says rubbish, in pieces: bounded, never anything but an error of ours", async () => {
    const property = fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.integer({ min: 1, max: 50 }),
      fc.boolean(),
      async (rubbish, pieceBytes, greets) => {
        let said = false;
        const line: ScriptedLine = scriptedLine((request) => {
          if (greets && request[4] === PACKET.init) return version;
          if (said) return undefined;
          said = true;
          for (let at = 0; at < rubbish.length; at += pieceBytes) {
            setImmediate(() => line.say(rubbish.slice(at, at + pieceBytes)));
          }
          setTimeout(() => line.hangUp(), 5);
          return undefined;
        });
        const client = new SftpClient(line, { idleTimeoutMs: PATIENT_MS });
        const outcome = await client
          .start()
          .then(() => Promise.allSettled(requests.map((ask) => ask(client))))
          .catch((error: unknown) => [{ status: "rejected" as const, reason: error }]);
        for (const result of outcome) {
          if (result.status === "fulfilled") continue;
          assert.ok(isLineError(result.reason) || result.reason instanceof SftpStatusError, String(result.reason));
        }
        client.end();
      },
    );
    await fc.assert(property, { numRuns: 400 });
  });

  it("changes one byte of an honest reply: an answer or an error, no crash", async () => {
    const honest = [
      (id: number) => packet(PACKET.handle, [u32(id), counted("h")]),
      (id: number) => packet(PACKET.data, [u32(id), counted("0123456789")]),
      (id: number) => packet(PACKET.attributes, [u32(id), u32(0xd), u64(5), u32(0o100600), u32(1), u32(2)]),
      (id: number) => packet(PACKET.name, [u32(id), u32(1), counted("a"), counted("-rw"), u32(1), u64(5)]),
    ];
    for (const reply of honest) {
      for (let at = 0; at < reply(0).length; at++) {
        for (const flip of [0x01, 0x80, 0xff]) {
          const { client, line } = await clientOf((id) =>
            reply(id).map((byte, index) => (index === at ? byte ^ flip : byte)),
          );
          const asking = Promise.allSettled(requests.slice(0, 6).map((ask) => ask(client)));
          setTimeout(() => line.hangUp(), 2);
          for (const result of await asking) {
            if (result.status === "rejected") {
              assert.ok(isLineError(result.reason) || result.reason instanceof SftpStatusError, String(result.reason));
            }
          }
          client.end();
        }
      }
    }
  });

  it("is an error of the storage with what to do about it, for the caller of the backend", async () => {
    const openLine = async () => scriptedLine(() => new TextEncoder().encode("bash: welcome\r\n"));
    const opening = openSftpBackend("sftp://h/b", { openLine, idleTimeoutMs: PATIENT_MS });
    await assert.rejects(opening, (error) => isOurError(error, "STORAGE_FAILED") && /login/.test(error.hint ?? ""));
    const silent = openSftpBackend("sftp://h/b", {
      openLine: async () => scriptedLine(() => undefined),
      idleTimeoutMs: IMPATIENT_MS,
    });
    await assert.rejects(silent, (error) => isOurError(error, "STORAGE_FAILED") && error.retry === "later");
  });
});
