import assert from "node:assert/strict";
import fc from "fast-check";
import { FrameReader, leaseIn, MAX_FRAME_BYTES, senderOf } from "../../core/hypervisor/hubFrames.js";
import { formatIpv4, parseIpv4, planSubnet } from "../../core/hypervisor/ipv4Subnet.js";
import { parseUsernet } from "../../core/hypervisor/usernet.js";
import { assertCode } from "../support/assertCode.js";

describe("subnet of a machine", () => {
  it("has room for a gateway, a name server and leases, all different", () => {
    assert.deepEqual(planSubnet("192.168.7.0/24", "192.168.7.3"), {
      network: "192.168.7.0/24",
      gateway: "192.168.7.3",
      nameServer: "192.168.7.4",
      firstLease: "192.168.7.15",
    });
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 29 }), fc.nat(), fc.nat(), (bits, place, host) => {
        const size = 2 ** (32 - bits);
        const base = (place % 2 ** bits) * size;
        const gateway = base + 1 + (host % (size - 2));
        const plan = planSubnet(`${formatIpv4(base)}/${bits}`, formatIpv4(gateway));
        const taken = [plan.gateway, plan.nameServer, plan.firstLease].map((text) => parseIpv4(text) ?? -1);
        assert.equal(new Set(taken).size, 3);
        assert.ok(taken.every((address) => address > base && address < base + size - 1));
      }),
      { numRuns: 200 },
    );
  });

  it("is refused when it is none", async () => {
    const wrong = [
      ["10.0.2.0", "10.0.2.2"],
      ["10.0.2.0/30", "10.0.2.1"],
      ["10.0.2.1/24", "10.0.2.2"],
      ["10.0.2.0/24", "10.0.3.2"],
      ["10.0.2.0/24", "10.0.2.255"],
      ["10.0.2.0/24,restrict=off", "10.0.2.2"],
      ["10.0.2.0/24", "10.0.2.2,restrict=off"],
    ] as const;
    for (const [subnet, gateway] of wrong)
      await assertCode((async () => planSubnet(subnet, gateway))(), "MACHINE_NETWORK_INVALID", subnet);
  });
});

describe("table of the user-mode network", () => {
  it("tells forwarded ports from connections that the guest has accepted", () => {
    const table =
      "Hub 1 (n0):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n" +
      "  TCP[ESTABLISHED]  15       127.0.0.1 40525       10.0.2.15    80     0     0\r\n" +
      "  TCP[SYN_SENT]     16       127.0.0.1 40525       10.0.2.15    80     0     0\r\n" +
      "  TCP[HOST_FORWARD]  9       127.0.0.1 40525       10.0.2.15    80     0     0\r\n" +
      "  UDP[236 sec]      17       10.0.2.15    68        10.0.2.2    67     0     0\r\n";
    assert.deepEqual(
      parseUsernet(table).map(({ kind, hostPort, guestPort }) => [kind, hostPort, guestPort]),
      [
        ["established", 40525, 80],
        ["opening", 40525, 80],
        ["forward", 40525, 80],
      ],
    );
  });
});

describe("frames of the hub", () => {
  const framed = (frame: Uint8Array) => {
    const bytes = new Uint8Array(4 + frame.length);
    new DataView(bytes.buffer).setUint32(0, frame.length);
    bytes.set(frame, 4);
    return bytes;
  };

  it("come out whole, wherever the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        (frames, cuts) => {
          const seen: string[] = [];
          const reader = new FrameReader((frame) => seen.push(Buffer.from(frame).toString("hex")), assert.fail);
          let rest = Buffer.concat(frames.map(framed));
          for (const cut of cuts) {
            reader.feed(rest.subarray(0, cut));
            rest = rest.subarray(cut);
          }
          reader.feed(rest);
          assert.deepEqual(
            seen,
            frames.map((frame) => Buffer.from(framed(frame)).toString("hex")),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it("end with a length that no frame has", () => {
    let broken = 0;
    let frames = 0;
    const reader = new FrameReader(
      () => frames++,
      () => broken++,
    );
    reader.feed(framed(new Uint8Array(0)).fill(0xff));
    reader.feed(new Uint8Array(2 * MAX_FRAME_BYTES));
    assert.deepEqual([broken, frames], [1, 0]);
  });

  it("tell which address a DHCP server gives to whom", () => {
    const dhcp = new Uint8Array(300);
    dhcp.set([0x08, 0x00, 0x45], 12);
    dhcp[23] = 17;
    dhcp.set([0, 67, 0, 68], 34);
    dhcp[42] = 2;
    dhcp.set([10, 0, 2, 16], 58);
    dhcp.set([0x52, 0x54, 0, 0, 0, 9], 70);
    assert.deepEqual(leaseIn(framed(dhcp)), { mac: "52:54:00:00:00:09", address: "10.0.2.16" });
    assert.equal(leaseIn(framed(dhcp.with(42, 1))), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => void leaseIn(framed(bytes))),
      { numRuns: 200 },
    );
  });

  it("tell the sender's address, if it has one", () => {
    const ethernet = "ffffffffffff5254000000010";
    const arp = Buffer.from(`${ethernet}8060001080006040001525400000001c0a80705000000000000c0a80701`, "hex");
    assert.deepEqual(senderOf(framed(arp)), { mac: "52:54:00:00:00:01", address: "192.168.7.5" });
    const ip = Buffer.from(`${ethernet}80045000014000000004001000000000000ffffffff`, "hex");
    assert.deepEqual(senderOf(framed(ip)), { mac: "52:54:00:00:00:01", address: null });
    assert.equal(senderOf(framed(new Uint8Array(13))), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void senderOf(framed(bytes))),
      { numRuns: 200 },
    );
  });
});
