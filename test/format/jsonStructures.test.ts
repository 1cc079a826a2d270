import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeText } from "../../core/format/bytes.js";
import { encodeCanonicalJson, type JsonValue } from "../../core/format/canonicalJson.js";
import { decodeConfig } from "../../core/format/config.js";
import { decodeKeySlot } from "../../core/format/keySlot.js";
import { decodeManifest, encodeManifest, isGroup, isNamespace, type Manifest } from "../../core/format/manifest.js";
import { decodeRecord, encodeRecord } from "../../core/format/record.js";
import { assertExactLength, assertMemoryBound, assertSurvivesEveryBit, refusal } from "../support/hostileBytes.js";
import { type JsonStructure, jsonStructures, sampleManifest, sampleSid } from "./jsonStructures.js";

type Members = { [name: string]: JsonValue };
type Place = { path: string; parent: Members | JsonValue[]; name: string | number };

function goldenValue(structure: JsonStructure): Members {
  return JSON.parse(structure.golden) as Members;
}

/** Every member and element, nested ones too. */
function placesIn(value: JsonValue, path = ""): Place[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const here = path === "" ? name : `${path}.${name}`;
    const parent = value as Members;
    return [{ path: here, parent, name }, ...placesIn(member as JsonValue, here)];
  });
}

/** The structure with one place changed by `change`, as canonical bytes. */
function changedAt(structure: JsonStructure, path: string, change: (place: Place) => void): Uint8Array {
  const value = goldenValue(structure);
  const place = placesIn(value).find((candidate) => candidate.path === path);
  assert.ok(place);
  change(place);
  return encodeCanonicalJson(value);
}

function memberOf(name: string, path: string, value: JsonValue): Uint8Array {
  const structure = jsonStructures.find((candidate) => candidate.name === name);
  assert.ok(structure);
  return changedAt(structure, path, (place) => {
    (place.parent as Members)[place.name] = value;
  });
}

function typeOf(value: JsonValue): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

for (const structure of jsonStructures) {
  describe(`format: ${structure.name}`, () => {
    const bytes = encodeText(structure.golden);
    const decode = (given: Uint8Array) => structure.decode(given);

    it("has exactly these bytes", () => {
      assert.equal(Buffer.from(structure.encode()).toString(), structure.golden);
    });

    it("comes back as it was", () => {
      assert.deepEqual(structure.decode(structure.encode()), structure.value);
    });

    it("is refused when cut or made longer anywhere", () => {
      assertExactLength(decode, bytes);
    });

    it("meets changed bits with errors of ours, and little memory", () => {
      assertSurvivesEveryBit(decode, bytes);
    });

    it("of another version is not read", () => {
      for (const version of [0, 2, "1", null]) {
        const other = encodeCanonicalJson({ ...goldenValue(structure), version });
        assert.equal(refusal(decode, other), "UNSUPPORTED_VERSION");
      }
    });

    it("is refused without any of its members", () => {
      for (const { path, name } of placesIn(goldenValue(structure))) {
        const isElement = /^\d+$/.test(String(name));
        if (isElement || path === "version" || path.startsWith("statistics.unknown")) continue;
        if (structure.anything?.some((free) => path.startsWith(`${free}.`))) continue;
        const cut = changedAt(structure, path, ({ parent }) => {
          delete (parent as Members)[name];
        });
        const isUnused = structure.nullable?.includes(path) && structure.name === "open config";
        if (!isUnused) assert.equal(refusal(decode, cut), "FORMAT_INVALID", path);
      }
    });

    it("is refused with a member of another type", () => {
      const others: JsonValue[] = [null, true, -1, "%", [], {}];
      for (const { path } of placesIn(goldenValue(structure))) {
        if (structure.anything?.some((free) => path === free || path.startsWith(`${free}.`))) continue;
        for (const other of others) {
          const given = changedAt(structure, path, (place) => {
            if (typeOf((place.parent as Members)[place.name] as JsonValue) === typeOf(other)) return;
            (place.parent as Members)[place.name] = other;
          });
          if (Buffer.from(given).toString() === structure.golden) continue;
          if (other === null && structure.nullable?.includes(path)) continue;
          if (structure.name === "open config" && structure.nullable?.includes(path)) continue;
          const code = refusal(decode, given, path);
          const expected = path === "version" ? "UNSUPPORTED_VERSION" : "FORMAT_INVALID";
          assert.equal(code, expected, `${path} = ${JSON.stringify(other)}`);
        }
      }
    });

    it("ignores members that a later release may add", () => {
      assert.deepEqual(decode(encodeCanonicalJson({ ...goldenValue(structure), zzz: [1] })), structure.value);
    });
  });
}

describe("format: limits of JSON structures", () => {
  const cases: [string, string, JsonValue[], JsonValue[]][] = [
    ["config", "encryption", [], ["aes-128", "AES-256-GCM", ""]],
    ["config", "keyId", ["00".repeat(8)], ["00".repeat(7), "00".repeat(9), "0123456789ABCDEF", "0123456789abcdeg"]],
    ["config", "chunker.algorithm", [], ["gear64-nc2", ""]],
    ["config", "chunker.maxBytes", [], [4 * 1024 * 1024 + 1, 0]],
    ["config", "packBytes", [1 << 20, 64 << 20], [(1 << 20) - 1, (64 << 20) + 1]],
    ["passphrase slot", "kdf.n", [1024, 2 ** 17], [512, 2 ** 21, 65535, 3000]],
    ["passphrase slot", "kdf.r", [1, 16], [0, 33]],
    ["passphrase slot", "kdf.p", [1, 16], [0, 17]],
    ["passphrase slot", "label", ["x".repeat(200)], ["x".repeat(201)]],
    ["passphrase slot", "type", [], ["recovery", "other"]],
    ["recovery slot", "type", [], ["passphrase"]],
    [
      "manifest",
      "group",
      ["ct/1", "host/a.b"],
      ["vm", "vm/", "vm/a/b", "vm/..", "xx/a", "vm/a\n", `vm/${"a".repeat(129)}`],
    ],
    ["manifest", "namespace", ["", "a/b/c/d/e/f/g/h"], ["a/b/c/d/e/f/g/h/i", "/a", "a//b", "a/..", "a b"]],
    [
      "manifest",
      "time",
      ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"],
      [
        "2026-11-21",
        "2026-11-21T02:00:00.0Z",
        "2026-11-21T02:00:00+01:00",
        "9999-99-99T99:99:99Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        " 2026-11-21T02:00:00Z",
      ],
    ],
    ["manifest", "finishedAt", [], ["2026-13-01T00:00:00Z"]],
    ["manifest", "mode", ["stream"], ["none"]],
    [
      "manifest",
      "archives.0.name",
      ["a".repeat(128), "web1..conf"],
      ["", "..", "../etc/passwd", "a/b", "a\u001b[31m", "a\nb", "a\0b", "-a", "a".repeat(129), "web1.conf"],
    ],
    ["manifest", "archives.0.sizeBytes", [4608, 2 ** 46], [4607, 2 ** 46 + 1, Number.MAX_SAFE_INTEGER]],
    ["manifest", "archives.0.kind", [], ["tape"]],
    ["manifest", "archives.0.root", [], ["34".repeat(31), "34".repeat(33), "3F".repeat(32)]],
    [
      "manifest",
      "archives.0.lost.0",
      [
        [0, 1048576],
        [0, 0],
      ],
      [[0, 1048577], [1, 1048576], [0], [-1, 1], [0, 1, 2], [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]],
    ],
    ["manifest", "repairedFrom", [sampleSid], ["x", sampleSid.toUpperCase()]],
    ["manifest", "notes", ["x".repeat(100_000)], ["x".repeat(100_001)]],
    [
      "manifest",
      "tags",
      [Array.from({ length: 1000 }, () => "t")],
      [Array.from({ length: 1001 }, () => "t"), ["x".repeat(129)], [1]],
    ],
    ["VOID", "reason", ["x".repeat(1000)], ["x".repeat(1001)]],
    ["notes", "sequence", [0, Number.MAX_SAFE_INTEGER], [-1]],
    ["notes", "snapshots", [[]], [["x"], [sampleSid, 1], Array.from({ length: 100_001 }, () => sampleSid)]],
    ["verification", "data.result", ["ok"], ["perhaps"]],
    ["verification", "data.damaged.0.offset", [], [-1]],
    ["quarantine", "blobs.0.pack", [], ["x", `${sampleSid}-2a`, `../${sampleSid}-0000002a`]],
    ["plan", "victims", [[]], [["config"], [`${sampleSid}-0000002A`], [`../${sampleSid}-0000002a`]]],
    ["final", "delete", [[]], [["snapshots/x"]]],
  ];
  for (const [name, path, good, bad] of cases) {
    it(`${name}: ${path}`, () => {
      const structure = jsonStructures.find((candidate) => candidate.name === name);
      assert.ok(structure);
      const decode = (bytes: Uint8Array) => structure.decode(bytes);
      for (const value of good)
        assert.equal(refusal(decode, memberOf(name, path, value)), undefined, JSON.stringify(value).slice(0, 80));
      for (const value of bad) {
        assert.equal(
          refusal(decode, memberOf(name, path, value)),
          "FORMAT_INVALID",
          JSON.stringify(value).slice(0, 80),
        );
      }
    });
  }

  it("memory for scrypt stays within 1 GiB", () => {
    const slot = (n: number, r: number, p: number) => {
      const structure = jsonStructures.find(({ name }) => name === "passphrase slot") as JsonStructure;
      const value = goldenValue(structure);
      Object.assign(value.kdf as Members, { n, r, p });
      return refusal((bytes) => decodeKeySlot(bytes, "slot"), encodeCanonicalJson(value));
    };
    assert.equal(slot(2 ** 20, 8, 1), undefined);
    assert.equal(slot(2 ** 20, 9, 1), "FORMAT_INVALID");
    assert.equal(slot(2 ** 18, 32, 16), undefined);
    assert.equal(slot(2 ** 19, 32, 1), "FORMAT_INVALID");
  });

  it("a config in which the members contradict each other is refused", () => {
    const pairs: [string, JsonValue][][] = [
      [
        ["chunker.minBytes", 1 << 20],
        ["chunker.averageBytes", 1 << 20],
      ],
      [["chunker.averageBytes", 100_000]],
      [["chunker.averageBytes", 1 << 22]],
      [["chunker.segmentBytes", 65536 + 1]],
    ];
    for (const changes of pairs) {
      const structure = jsonStructures[0] as JsonStructure;
      const value = goldenValue(structure);
      for (const [path, given] of changes) {
        const place = placesIn(value).find((candidate) => candidate.path === path) as Place;
        (place.parent as Members)[place.name] = given;
      }
      assert.ok(refusal(decodeConfig, encodeCanonicalJson(value)), JSON.stringify(changes));
    }
  });

  it("at most 256 archives, no two of one name", () => {
    const archive = (index: number) => ({
      ...(sampleManifest.archives[1] as Manifest["archives"][0]),
      name: `a${index}`,
    });
    const manifest = (count: number) =>
      encodeManifest({ ...sampleManifest, archives: Array.from({ length: count }, (_, i) => archive(i)) });
    const decode = (bytes: Uint8Array) => decodeManifest(bytes, "manifest");
    assert.equal(refusal(decode, manifest(256)), undefined);
    assert.equal(refusal(decode, manifest(257)), "FORMAT_INVALID");
    assert.equal(
      refusal(decode, encodeManifest({ ...sampleManifest, archives: [archive(1), archive(1)] })),
      "FORMAT_INVALID",
    );
  });

  it("a record of a type that a later release knows is kept as it is", () => {
    const golden = encodeCanonicalJson({
      version: 1,
      rid: sampleSid,
      snapshots: [sampleSid],
      sequence: 1,
      at: "x",
      by: "y",
      origin: null,
      type: "restore-test",
      data: { anything: [1, null] },
    });
    assert.deepEqual(decodeRecord(golden, "record"), {
      rid: sampleSid,
      snapshots: [sampleSid],
      sequence: 1,
      at: "x",
      by: "y",
      origin: null,
      type: "unknown",
      name: "restore-test",
      data: { anything: [1, null] },
    });
    assert.deepEqual(encodeRecord(decodeRecord(golden, "record")), golden);
  });

  it("deep and long JSON takes no more memory than its text, several times over", () => {
    const deep = encodeText(`{"version":1,"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    assertMemoryBound(1 << 20, () => assert.ok(refusal((bytes) => decodeManifest(bytes, "manifest"), deep)));
  });
});

describe("format: manifests of any contents", () => {
  const flat = { noNullPrototype: true };
  const safeId = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
  const count = fc.maxSafeNat();
  const time = fc
    .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
    .map((date) => `${date.toISOString().slice(0, 19)}Z`);
  const hex = (bytes: number) =>
    fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((given) => Buffer.from(given).toString("hex"));
  const archive = fc.record(
    {
      name: safeId,
      kind: fc.constantFrom("image" as const, "file" as const),
      sizeBytes: fc.integer({ min: 10, max: 2 ** 46 }),
      root: hex(32),
      format: fc.string({ maxLength: 40 }),
      lost: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 3 }),
    },
    flat,
  );
  const manifests = fc.record(
    {
      type: fc.constant("snapshot" as const),
      sid: hex(16),
      namespace: fc.array(safeId, { maxLength: 8 }).map((parts) => parts.join("/")),
      group: safeId.map((id) => `vm/${id}`),
      time,
      finishedAt: time,
      host: fc.string({ maxLength: 300 }),
      tool: fc.record({ name: fc.string({ maxLength: 100 }), version: fc.string({ maxLength: 100 }) }, flat),
      mode: fc.constantFrom("offline", "snapshot", "suspend", "stop", "stream"),
      consistency: fc.constantFrom("unknown", "crash", "filesystem", "application"),
      archives: fc.uniqueArray(archive, { maxLength: 6, selector: ({ name }) => name }),
      notes: fc.string({ unit: "grapheme", maxLength: 200 }),
      tags: fc.array(fc.string({ maxLength: 20 }), { maxLength: 5 }),
      protected: fc.boolean(),
      statistics: fc.record(
        {
          bytesRead: count,
          bytesNew: count,
          bytesStored: count,
          chunksTotal: count,
          chunksNew: count,
          durationMs: count,
        },
        flat,
      ),
      repairedFrom: fc.option(hex(16)),
      origin: fc.option(fc.record({ repositoryId: hex(16), snapshot: hex(16), digest: hex(32) }, flat)),
    },
    flat,
  );

  it("come back as they were", () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const bytes = encodeManifest(manifest as unknown as Manifest);
        assert.deepEqual(decodeManifest(bytes, "manifest"), manifest);
      }),
    );
  });

  it("name machines and namespaces that are safe everywhere", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        if (isGroup(text)) assert.match(text, /^(vm|ct|host)\/[A-Za-z0-9_.-]+$/);
        if (isNamespace(text)) assert.match(text, /^[A-Za-z0-9_./-]*$/);
        assert.ok(!isGroup(`vm/${text}`) || !text.includes("/"));
      }),
    );
  });
});
