import assert from "node:assert/strict";
import { type FilteredSnapshot, parseCatalogFilter } from "../../../extension/service/catalogFilter.js";
import { namePattern } from "../../../extension/service/namePattern.js";

const plain: FilteredSnapshot = { tags: [], protected: false, verification: null, restoreTest: null, isPatched: false };

describe("the filter box", () => {
  const isOfMachine = (filter: string, machine: string) => parseCatalogFilter(filter)?.isOfMachine(machine);
  const isOfSnapshot = (filter: string, snapshot: Partial<FilteredSnapshot>) =>
    parseCatalogFilter(filter)?.isOfSnapshot({ ...plain, ...snapshot });

  it("is none when it is empty", () => {
    assert.equal(parseCatalogFilter("  "), undefined);
  });

  it("takes parts and patterns of names, all of which have to fit", () => {
    for (const filter of ["web", "WEB1", "prod:", "web*", "w?b1", "vm/web?", "prod:vm/*", "web 1"])
      assert.equal(isOfMachine(filter, "prod:vm/web1"), true, filter);
    for (const filter of ["db", "web?2", "eb*", "web db"])
      assert.equal(isOfMachine(filter, "prod:vm/web1"), false, filter);
  });

  it("takes words of state, and names that are spelt like one", () => {
    assert.equal(isOfSnapshot("damaged", {}), false);
    assert.equal(isOfSnapshot("damaged", { verification: { result: "damaged" } }), true);
    assert.equal(isOfSnapshot("damaged", { isPatched: true }), true);
    assert.equal(isOfSnapshot("verified protected", { verification: { result: "ok" }, protected: true }), true);
    assert.equal(isOfSnapshot("verified protected", { verification: { result: "ok" } }), false);
    assert.equal(isOfSnapshot("unverified", {}), true);
    assert.equal(isOfSnapshot("tested", { restoreTest: { outcome: "warned" } }), true);
    assert.equal(isOfSnapshot("failed", { restoreTest: { outcome: "failed" } }), true);
    assert.equal(isOfMachine("damaged", "vm/web1"), true);
    assert.equal(isOfMachine("name:damaged", "vm/web1"), false);
    assert.equal(isOfMachine("name:damaged", "vm/damaged"), true);
    assert.equal(isOfMachine("constructor", "vm/web1"), false);
  });

  it("takes whole tags", () => {
    assert.equal(isOfSnapshot("tag:prod", { tags: ["Prod"] }), true);
    assert.equal(isOfSnapshot("tag:prod", { tags: ["production"] }), false);
    assert.equal(isOfSnapshot("tag:prod*", { tags: ["production"] }), true);
  });

  it("knows what needs records", () => {
    for (const [filter, needs] of Object.entries({ web: false, untested: true, damaged: true, "tag:x web": true }))
      assert.equal(parseCatalogFilter(filter)?.needsRecords, needs, filter);
    assert.equal(parseCatalogFilter("untested")?.isAboutSnapshots, false);
  });
});

describe("a pattern of names", () => {
  it("fits the whole name when it has a star or a question mark, else a part", () => {
    const fits = (pattern: string, name: string) => namePattern(pattern)(name);
    assert.deepEqual(
      [fits("log", "a.LOG.1"), fits("*.log", "a.log.1"), fits("*.log*", "a.log.1")],
      [true, false, true],
    );
    assert.deepEqual([fits("", ""), fits("*", ""), fits("?", ""), fits("a*b*c", "aXbXbXc")], [true, true, false, true]);
  });

  it("is no trap", () => {
    // hours for whoever tries every way of dividing the name among the stars
    assert.equal(namePattern("*a".repeat(120))(`${"a".repeat(4000)}b`), false);
  });
});
