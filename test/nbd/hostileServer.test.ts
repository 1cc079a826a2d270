import assert from "node:assert/strict";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { NbdClient, type NbdOptions } from "../../core/nbd/client.js";
import {
  chunk,
  dataChunk,
  type FakeNbd,
  type FakeNbdOptions,
  type FakeRequest,
  holeChunk,
  honestGreeting,
  optionReply,
  type Send,
  simpleReply,
  startFakeNbd,
  statusChunk,
  u16,
  u32,
  u64,
} from "../support/fakeNbdServer.js";
import { noise } from "../support/sampleBytes.js";

const none = new Uint8Array(0);
/** For servers that are given up for their silence; the lies of others must not be taken for it on a busy machine. */
const IMPATIENT = { handshakeTimeoutMs: 1000, requestTimeoutMs: 200 };
const PATIENT = { handshakeTimeoutMs: 100_000, requestTimeoutMs: 100_000 };

describe("NBD client and a hostile server", () => {
  let server: FakeNbd | undefined;

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function run(fake: FakeNbdOptions, timeouts: NbdOptions): Promise<unknown> {
    server = await startFakeNbd({ contexts: { "base:allocation": 7 }, ...fake });
    let client: NbdClient | undefined;
    try {
      client = await NbdClient.connect(server.address, timeouts);
      await client.read(new Uint8Array(65536), 4096);
      await client.map("base:allocation", 0, 65536);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      await client?.close();
    }
  }

  async function expectCode(fake: FakeNbdOptions, code: string, errno?: string): Promise<void> {
    const heldBefore = process.memoryUsage().arrayBuffers;
    const startedAt = performance.now();
    const error = await run(fake, errno === "ETIMEDOUT" ? IMPATIENT : PATIENT);
    assert.ok(isOurError(error, code), `${code} wanted, got ${error}`);
    if (errno !== undefined) assert.equal(error.data.errno, errno);
    assert.ok(performance.now() - startedAt < 60_000, "took too long");
    assert.ok(process.memoryUsage().arrayBuffers - heldBefore < 64 * 1024 * 1024, "took too much memory");
  }

  const onOption = (wanted: number, ...replies: Uint8Array[]): FakeNbdOptions => ({
    onOption: (code, _data, send) => {
      if (code === wanted) send(...replies);
      return code === wanted;
    },
  });
  const exported = (size: bigint) => optionReply(7, 3, Buffer.concat([u16(0), u64(size), u16(1)]));
  const blockSizes = (min: number, max: number) =>
    optionReply(7, 3, Buffer.concat([u16(3), u32(min), u32(4096), u32(max)]));
  const acknowledged = optionReply(7, 1, none);
  const context = (id: number, name: string) => optionReply(10, 4, Buffer.concat([u32(id), Buffer.from(name)]));

  const handshakes: Record<string, FakeNbdOptions> = {
    "speaks HTTP": { greeting: Buffer.from("HTTP/1.1 400 Bad Request\r\n") },
    "speaks the oldstyle handshake": {
      greeting: Buffer.concat([Buffer.from("NBDMAGIC"), u64(0x420281861253n), u16(0)]),
    },
    "lacks fixed newstyle": { greeting: Buffer.concat([honestGreeting.subarray(0, 16), u16(2)]) },
    "announces an option reply of 4 GiB": onOption(8, optionReply(8, 1, none, 0xffffffff)),
    "answers another option": onOption(8, optionReply(9, 1, none)),
    "answers with wrong magic": onOption(8, Buffer.alloc(20, 1)),
    "answers one option without end": onOption(7, ...Array.from({ length: 400 }, () => exported(4096n))),
    "tells no size": onOption(7, acknowledged),
    "tells a size beyond 2^53": onOption(7, exported(0xffffffffffffffffn), acknowledged),
    "tells a block size of 0": onOption(7, exported(4096n), blockSizes(0, 4096), acknowledged),
    "tells a block size that is no power of two": onOption(7, exported(4096n), blockSizes(3, 4096), acknowledged),
    "tells a maximum below the minimum": onOption(7, exported(4096n), blockSizes(4096, 512), acknowledged),
    "cuts its information short": onOption(7, optionReply(7, 3, u16(0)), acknowledged),
    "agrees to a context nobody asked for": onOption(10, context(1, "base:secrets"), optionReply(10, 1, none)),
    "agrees twice": onOption(
      10,
      context(1, "base:allocation"),
      context(1, "base:allocation"),
      optionReply(10, 1, none),
    ),
  };
  for (const [what, fake] of Object.entries(handshakes)) {
    it(`that ${what} in the handshake is refused`, () => expectCode(fake, "NBD_PROTOCOL"));
  }

  it("that never greets is given up", () => expectCode({ greeting: null }, "NBD_FAILED", "ETIMEDOUT"));
  it("that stops in the handshake is given up", () => expectCode(onOption(7), "NBD_FAILED", "ETIMEDOUT"));
  it("that greets in parts and stops is given up", () =>
    expectCode({ greeting: honestGreeting.subarray(0, 11) }, "NBD_FAILED", "ETIMEDOUT"));

  /** Answers reads with `lie`, which must not be believed. */
  const onRead = (lie: (request: FakeRequest, send: Send) => void): FakeNbdOptions => ({
    onRequest: (request, send) => lie(request, send),
  });
  const full = noise(3, 65536);
  const replies: Record<string, (request: FakeRequest, send: Send) => void> = {
    "answers another cookie": ({ cookie, offset }, send) => send(dataChunk(cookie + 1n, offset, full, true)),
    "answers a cookie beyond 2^53": ({ cookie, offset }, send) =>
      send(dataChunk(cookie + (1n << 60n), offset, full, true)),
    "answers with wrong magic": (_, send) => send(Buffer.alloc(64, 7)),
    "answers simply where structured was agreed": ({ cookie }, send) => send(simpleReply(cookie, 0, full)),
    "announces a chunk of 4 GiB": ({ cookie, offset }, send) =>
      send(chunk({ cookie, type: 1, payload: u64(offset), length: 0xffffffff })),
    "sends one byte too many": ({ cookie, offset }, send) => send(dataChunk(cookie, offset, noise(1, 65537), true)),
    "sends bytes before the range": ({ cookie, offset }, send) => send(dataChunk(cookie, offset - 1, full, true)),
    "sends bytes behind the range": ({ cookie, offset }, send) => send(dataChunk(cookie, offset + 1, full, true)),
    "sends bytes far outside": ({ cookie }, send) =>
      send(chunk({ cookie, type: 1, payload: Buffer.concat([u64(0xffffffffffffffffn), full]), done: true })),
    "sends an empty data chunk": ({ cookie, offset }, send) => send(dataChunk(cookie, offset, none, true)),
    "sends the same bytes twice": ({ cookie, offset }, send) =>
      send(dataChunk(cookie, offset, full), dataChunk(cookie, offset + 100, full.subarray(0, 10), true)),
    "leaves bytes out": ({ cookie, offset }, send) => send(dataChunk(cookie, offset, full.subarray(1), true)),
    "ends without any byte": ({ cookie }, send) => send(chunk({ cookie, type: 0, done: true })),
    "scatters single bytes": ({ cookie, offset }, send) => {
      for (let at = 0; at < 4096; at += 2) send(dataChunk(cookie, offset + at, full.subarray(at, at + 1)));
    },
    "sends a hole too long": ({ cookie, offset }, send) => send(holeChunk(cookie, offset, 0xffffffff, true)),
    "sends an empty hole": ({ cookie, offset }, send) => send(holeChunk(cookie, offset, 0)),
    "sends a hole of a wrong form": ({ cookie }, send) => send(chunk({ cookie, type: 2, payload: u64(0n) })),
    "sends empty chunks for ever": ({ cookie }, send) => send(chunk({ cookie, type: 0 })),
    "sends a chunk type from nowhere": ({ cookie }, send) => send(chunk({ cookie, type: 77 })),
    "answers a read with block status": ({ cookie }, send) => send(statusChunk(cookie, 7, [[4096, 0]])),
    "announces an error text of 4 GiB": ({ cookie }, send) => send(chunk({ cookie, type: 0x8001, length: 0xffffffff })),
    "sends an error text longer than its chunk": ({ cookie }, send) =>
      send(chunk({ cookie, type: 0x8001, payload: Buffer.concat([u32(5), u16(5000)]) })),
    "sends an error that is none": ({ cookie }, send) =>
      send(chunk({ cookie, type: 0x8001, payload: Buffer.concat([u32(0), u16(0)]) })),
  };
  for (const [what, lie] of Object.entries(replies)) {
    it(`that ${what} is refused`, () => expectCode(onRead(lie), "NBD_PROTOCOL"));
  }

  it("that answers an aborted request twice is refused", () =>
    expectCode(
      onRead(({ cookie, offset }, send) =>
        send(dataChunk(cookie, offset, full, true), dataChunk(cookie, offset, full, true)),
      ),
      "NBD_PROTOCOL",
    ));

  it("that never answers is given up", () => expectCode({ onRequest: () => {} }, "NBD_FAILED", "ETIMEDOUT"));
  it("that sends half an answer is given up", () =>
    expectCode(
      onRead(({ cookie, offset }, send) => send(dataChunk(cookie, offset, full, true).subarray(0, 30_000))),
      "NBD_FAILED",
      "ETIMEDOUT",
    ));
  it("that drips its answer is given up", () =>
    expectCode(
      onRead(({ cookie, offset }, send) => {
        const answer = dataChunk(cookie, offset, full, true);
        let at = 0;
        const timer = setInterval(() => {
          if (at > 50) clearInterval(timer);
          send(answer.subarray(at, ++at));
        }, 10);
      }),
      "NBD_FAILED",
      "ETIMEDOUT",
    ));
  it("that hangs up in the middle is reported", () =>
    expectCode(
      {
        onRequest: (_, send, socket) => {
          send(u32(0x668e33ef));
          socket.end();
        },
      },
      "NBD_FAILED",
      "ECONNRESET",
    ));

  const onStatus = (lie: (request: FakeRequest, send: Send) => void): FakeNbdOptions => ({
    onRequest: (request, send) =>
      request.command === 7 ? lie(request, send) : send(dataChunk(request.cookie, request.offset, full, true)),
  });
  const statuses: Record<string, (request: FakeRequest, send: Send) => void> = {
    "with a run of length 0": ({ cookie }, send) => send(statusChunk(cookie, 7, [[0, 0]])),
    "with runs behind the end": ({ cookie }, send) =>
      send(
        statusChunk(cookie, 7, [
          [65536, 0],
          [1, 0],
        ]),
      ),
    "without runs": ({ cookie }, send) => send(statusChunk(cookie, 7, [])),
    "of a context not agreed": ({ cookie }, send) => send(statusChunk(cookie, 8, [[65536, 0]])),
    twice: ({ cookie }, send) => send(statusChunk(cookie, 7, [[1, 0]], false), statusChunk(cookie, 7, [[1, 0]])),
    "with half a run": ({ cookie }, send) => send(chunk({ cookie, type: 5, payload: Buffer.alloc(15), done: true })),
    "of 4 GiB": ({ cookie }, send) => send(chunk({ cookie, type: 5, length: 0xffffffff })),
    "with nothing": ({ cookie }, send) => send(chunk({ cookie, type: 0, done: true })),
    "with data": ({ cookie }, send) => send(dataChunk(cookie, 0, full, true)),
  };
  for (const [what, lie] of Object.entries(statuses)) {
    it(`that answers block status ${what} is refused`, () => expectCode(onStatus(lie), "NBD_PROTOCOL"));
  }

  it("with flipped bytes anywhere never yields wrong data silently or hangs", async function () {
    this.timeout(60_000);
    const flip = fc.record({ at: fc.nat(200), value: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(flip, async ({ at, value }) => {
        const data = full.subarray(0, 64);
        const onRequest = ({ cookie, offset }: FakeRequest, send: Send) => {
          const honest = Buffer.concat([
            dataChunk(cookie, offset, data.subarray(0, 32)),
            dataChunk(cookie, offset + 32, data.subarray(32), true),
          ]);
          honest[at % honest.length]! ^= value;
          send(honest);
        };
        const fake = await startFakeNbd({ onRequest });
        const client = await NbdClient.connect(fake.address, { ...PATIENT, requestTimeoutMs: 50 });
        const buffer = new Uint8Array(64);
        try {
          await client.read(buffer, 4096);
          // Only bytes of the payload itself, or bits without a meaning, may have been flipped.
          const wrong = buffer.filter((byte, index) => byte !== data[index]).length;
          assert.ok(wrong <= 1);
        } catch (error) {
          assert.ok(isOurError(error, "NBD_PROTOCOL") || isOurError(error, "NBD_FAILED"), String(error));
        } finally {
          await client.close();
          await fake.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});
