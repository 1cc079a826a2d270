import assert from "node:assert/strict";
import fc from "fast-check";
import { fromUriParts, type SnapshotPlace, toUriParts } from "../../../extension/model/repriseUri.js";

/** As an object literal makes them. */
const plain = { noNullPrototype: true };
const id = fc.stringMatching(/^[0-9a-f]{32}$/);
const safe = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}$/);
const group = fc.tuple(fc.constantFrom("vm", "ct", "host"), safe).map((parts) => parts.join("/"));
const namespace = fc.array(safe, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const machine = fc.oneof(
  group,
  fc.tuple(namespace, group).map(([space, name]) => `${space}:${name}`),
);
const name = fc.string({ unit: "grapheme", minLength: 1 }).map((text) => text.replaceAll("/", "_"));
const path = fc.array(name, { maxLength: 4 }).map((names) => `/${names.join("/")}`);
const part = fc.record({ offset: fc.nat(), length: fc.integer({ min: 1, max: 2 ** 31 }) }, plain);

describe("URIs of places in backups", () => {
  it("read back as they were made", () => {
    fc.assert(
      fc.property(
        fc.record(
          { repositoryId: id, machine, snapshot: id, path, part },
          { ...plain, requiredKeys: ["repositoryId", "machine", "snapshot", "path"] },
        ),
        (place) => {
          const expected: SnapshotPlace = { ...place };
          assert.deepEqual(fromUriParts(toUriParts(place)), expected);
        },
      ),
    );
  });

  it("of anybody else are refused", () => {
    const snapshot = "0123456789abcdef0123456789abcdef";
    const parts = { scheme: "reprise", authority: snapshot, path: `/vm/web1/${snapshot}/sda`, query: "" };
    assert.equal(fromUriParts(parts)?.path, "/sda");
    const wrong = [
      { ...parts, scheme: "file" },
      { ...parts, authority: "" },
      { ...parts, authority: "../../etc" },
      { ...parts, path: "" },
      { ...parts, path: `/vm/web1/${snapshot.slice(1)}/sda` },
      { ...parts, path: `/vm/../${snapshot}/sda` },
      { ...parts, path: `/web1/${snapshot}/sda` },
      { ...parts, path: `/vm/web1/${snapshot}sda` },
      { ...parts, query: "part=1" },
      { ...parts, query: "part=5-5" },
      { ...parts, query: "part=99999999999999999-1" },
      { ...parts, path: `${parts.path}/${"x".repeat(1 << 20)}` },
    ];
    for (const each of wrong) assert.equal(fromUriParts(each), undefined, JSON.stringify(each).slice(0, 200));
  });

  it("may have any characters in names, also line breaks and slashes at the end", () => {
    const snapshot = "0123456789abcdef0123456789abcdef";
    const at = (path: string) =>
      fromUriParts({ scheme: "reprise", authority: snapshot, path: `/a/b:ct/1/${snapshot}${path}`, query: "" });
    assert.equal(at("/x\n\u202ey")?.path, "/x\n\u202ey");
    assert.equal(at("")?.path, "/");
    assert.equal(at("/")?.path, "/");
    assert.equal(at("/sda//")?.path, "/sda");
    assert.equal(at(`/x:vm/web1/${snapshot}/y`)?.machine, "a/b:ct/1");
  });
});
