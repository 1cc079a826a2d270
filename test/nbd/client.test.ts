import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { isOurError } from "../../core/errors.js";
import { NbdClient, type NbdOptions } from "../../core/nbd/client.js";
import {
  chunk,
  dataChunk,
  errorChunk,
  type FakeNbd,
  type FakeNbdOptions,
  type FakeRequest,
  holeChunk,
  optionReply,
  type Send,
  simpleReply,
  startFakeNbd,
  statusChunk,
} from "../support/fakeNbdServer.js";
import { noise } from "../support/sampleBytes.js";

const disk = noise(1, 1048576);

function answerRead(request: FakeRequest, send: Send): void {
  send(dataChunk(request.cookie, request.offset, disk.subarray(request.offset, request.offset + request.length), true));
}

describe("NBD client", () => {
  let server: FakeNbd | undefined;
  let client: NbdClient | undefined;

  async function connect(fake: FakeNbdOptions, options: NbdOptions = {}): Promise<NbdClient> {
    server = await startFakeNbd(fake);
    client = await NbdClient.connect(server.address, options);
    return client;
  }

  afterEach(async () => {
    await client?.close();
    await server?.close();
    client = undefined;
    server = undefined;
  });

  async function readAll(nbd: NbdClient): Promise<Uint8Array> {
    const buffer = noise(2, nbd.sizeBytes);
    await nbd.read(buffer, 0);
    return buffer;
  }

  it("takes over what the server offers", async () => {
    const nbd = await connect({ sizeBytes: 5000n, exportFlags: 1 | 2 | 4 | 256, contexts: { "base:allocation": 7 } });
    assert.equal(nbd.sizeBytes, 5000);
    assert.deepEqual(
      [nbd.readOnly, nbd.canFlush, nbd.canTrim, nbd.canWriteZeroes, nbd.canMultiConn],
      [true, true, false, false, true],
    );
    assert.deepEqual(nbd.contexts, ["base:allocation"]);
  });

  it("works over TCP", async () => {
    assert.deepEqual(await readAll(await connect({ tcp: true, onRequest: answerRead })), disk);
  });

  it("cuts a read into requests the server accepts and takes the answers in any order", async () => {
    const held: FakeRequest[] = [];
    const onRequest = (request: FakeRequest, send: Send) => {
      held.push(request);
      if (held.length === 16) for (const one of held.reverse()) answerRead(one, send);
    };
    const nbd = await connect({ blockSizes: { min: 1, max: 65536 }, onRequest });
    assert.deepEqual(await readAll(nbd), disk);
    assert.ok(server!.requests.every(({ length }) => length === 65536));
  });

  it("keeps at most 16 requests in flight", async () => {
    const held: [FakeRequest, Send][] = [];
    let most = 0;
    const onRequest = async (...request: [FakeRequest, Send]) => {
      most = Math.max(most, held.push(request));
      if (held.length < 16) return; // 64 requests in four rounds: a client that sends fewer at once waits for ever
      await sleep(20); // for one too many
      for (const [one, send] of held.splice(0)) answerRead(one, send);
    };
    const nbd = await connect({ onRequest }, { maxRequestBytes: 16384 });
    assert.deepEqual(await readAll(nbd), disk);
    assert.equal(most, 16);
  });

  it("puts chunks and holes where they belong, in any order", async () => {
    const onRequest = ({ cookie }: FakeRequest, send: Send) => {
      send(dataChunk(cookie, 600_000, disk.subarray(600_000)));
      send(dataChunk(cookie, 0, disk.subarray(0, 300_000)));
      send(holeChunk(cookie, 300_000, 300_000), chunk({ cookie, type: 0, done: true }));
    };
    const bytes = await readAll(await connect({ onRequest }));
    const expected = Uint8Array.from(disk).fill(0, 300_000, 600_000);
    assert.deepEqual(bytes, expected);
  });

  it("reads from a server without structured replies", async () => {
    const onRequest = ({ cookie, offset, length }: FakeRequest, send: Send) =>
      send(simpleReply(cookie, 0, disk.subarray(offset, offset + length)));
    const nbd = await connect({ structuredReplies: false, onRequest });
    assert.deepEqual(await readAll(nbd), disk);
    assert.deepEqual(nbd.contexts, []);
  });

  it("aligns reads to the server's blocks", async () => {
    const nbd = await connect({ blockSizes: { min: 4096, max: 8192 }, onRequest: answerRead });
    const bytes = new Uint8Array(30_001);
    await nbd.read(bytes, 4095);
    assert.deepEqual(bytes, disk.slice(4095, 4095 + bytes.length));
    assert.ok(server!.requests.every(({ offset, length }) => offset % 4096 === 0 && length % 4096 === 0));
  });

  it("gives errors of the server by name", async () => {
    const nbd = await connect({ onRequest: ({ cookie }, send) => send(errorChunk(cookie, 5, "bad\nsector")) });
    await assert.rejects(nbd.read(new Uint8Array(10), 512), (error) => {
      assert.ok(isOurError(error, "NBD_FAILED"));
      assert.deepEqual([error.data.errno, error.data.offset, error.data.length], ["EIO", 512, 10]);
      assert.match(error.message, /bad sector/);
      return true;
    });
    assert.ok(nbd.usable);
  });

  it("says when there is no such export", async () => {
    const onOption = (code: number, _data: Uint8Array, send: Send) => {
      if (code === 7) send(optionReply(7, 0x80000006, Buffer.from("nothing here")));
      return code === 7;
    };
    await assert.rejects(connect({ onOption }, { exportName: "disk9" }), (error) => {
      return isOurError(error, "NBD_FAILED") && error.data.errno === "ENOENT" && /disk9/.test(error.message);
    });
  });

  it("says when nobody listens", async () => {
    await assert.rejects(NbdClient.connect({ socketPath: "/nonexistent/socket" }), (error) => {
      return isOurError(error, "NBD_FAILED") && error.data.errno === "ENOENT";
    });
  });

  it("writes, zeroes, trims and flushes", async () => {
    const stored = new Uint8Array(1048576);
    const onRequest = ({ command, cookie, offset, payload }: FakeRequest, send: Send) => {
      if (command === 1) stored.set(payload, offset);
      send(simpleReply(cookie));
    };
    const nbd = await connect({ exportFlags: 1 | 4 | 32 | 64, onRequest }, { maxRequestBytes: 100_000 });
    await nbd.write(disk.subarray(5, 700_005), 5);
    await nbd.writeZeroes(4096, 8192, { keepAllocated: true });
    await nbd.trim(0, 4096);
    await nbd.flush();
    assert.deepEqual(stored.slice(5, 700_005), disk.slice(5, 700_005));
    const rest = server!.requests
      .slice(-3)
      .map(({ command, flags, offset, length }) => [command, flags, offset, length]);
    assert.deepEqual(rest, [
      [6, 2, 4096, 8192],
      [4, 0, 0, 4096],
      [3, 0, 0, 0],
    ]);
  });

  it("does not write to a read-only export or outside it", async () => {
    const nbd = await connect({ exportFlags: 3 });
    await assert.rejects(nbd.write(new Uint8Array(1), 0), (error) => isOurError(error, "NBD_FAILED"));
    await assert.rejects(nbd.read(new Uint8Array(2), 1048575), (error) => isOurError(error, "NBD_FAILED"));
    assert.equal(server!.requests.length, 0);
  });

  it("maps a context in as many answers as the server likes", async () => {
    const onRequest = ({ cookie, offset, length }: FakeRequest, send: Send) => {
      // One block at a time, every second a hole; the last run reaches beyond the request.
      const flags = (offset / 65536) % 2 === 0 ? 0 : 3;
      send(
        statusChunk(cookie, 9, [[4096, 1]], false),
        statusChunk(cookie, 7, [[offset + length > 983040 ? 131072 : 65536, flags]]),
      );
    };
    const nbd = await connect(
      { sizeBytes: 1048576n, contexts: { "base:allocation": 7, "qemu:dirty-bitmap:b": 9 }, onRequest },
      { contexts: ["base:allocation", "qemu:dirty-bitmap:b"] },
    );
    const runs = await nbd.map("base:allocation", 1000, 200_000);
    assert.deepEqual(
      runs.map(({ offset, length }) => offset + length),
      [...runs.slice(1).map(({ offset }) => offset), 201_000],
    );
    assert.equal(runs[0]!.offset, 1000);
    assert.equal((await nbd.map("qemu:dirty-bitmap:b", 0, 8192)).length, 1);
    await assert.rejects(nbd.map("base:other", 0, 1), (error) => isOurError(error, "NBD_FAILED"));
  });

  describe("when the caller leaves", () => {
    it("lets go of the buffer at once and stays usable", async () => {
      let release = () => {};
      const onRequest = (request: FakeRequest, send: Send) => {
        const answer = dataChunk(
          request.cookie,
          request.offset,
          disk.subarray(request.offset, request.offset + request.length),
          true,
        );
        if (server!.requests.length > 1) return send(answer);
        send(answer.subarray(0, 100_000));
        release = () => send(answer.subarray(100_000));
      };
      const nbd = await connect({ onRequest });
      const abort = new AbortController();
      const buffer = new Uint8Array(1048576);
      const read = nbd.read(buffer, 0, { signal: abort.signal });
      while (buffer[50_000] === 0 && buffer[50_001] === 0) await sleep(1);
      abort.abort();
      await assert.rejects(read, { name: "AbortError" });
      buffer.fill(0);
      release();
      const second = new Uint8Array(1000);
      await nbd.read(second, 77);
      assert.deepEqual(second, disk.slice(77, 1077));
      assert.ok(buffer.every((byte) => byte === 0));
    });

    it("aborts connecting", async () => {
      server = await startFakeNbd({ greeting: null });
      const abort = new AbortController();
      const connecting = NbdClient.connect(server.address, { signal: abort.signal });
      setTimeout(() => abort.abort(), 20);
      await assert.rejects(connecting, { name: "AbortError" });
    });

    it("closes twice, fails what is under way, and leaves no connection", async () => {
      const nbd = await connect({});
      const read = nbd.read(new Uint8Array(10), 0);
      const outcome = assert.rejects(read, (error) => isOurError(error, "NBD_FAILED"));
      const startedAt = performance.now();
      await Promise.all([nbd.close(), nbd.close()]);
      await outcome;
      await nbd.close();
      assert.ok(performance.now() - startedAt < 900, "waited for a server that had hung up");
      while (server!.openConnections() > 0) await sleep(1);
      assert.equal(server!.requests.at(-1)!.command, 2);
      await assert.rejects(nbd.read(new Uint8Array(10), 0), (error) => isOurError(error, "NBD_FAILED"));
    });
  });
});
