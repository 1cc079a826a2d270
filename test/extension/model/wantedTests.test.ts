import assert from "node:assert/strict";
import { type PlaceOfTest, wantedRuns } from "../../../extension/model/wantedTests.js";

class Item {
  readonly label: string;
  readonly parent: Item | undefined;
  readonly place: PlaceOfTest;
  readonly children = new Map<string, Item>();

  constructor(label: string, place: PlaceOfTest, parent?: Item) {
    [this.label, this.place, this.parent] = [label, place, parent];
    parent?.children.set(label, this);
  }
}

const file = new Item("reprise.yml", { test: null, machine: null, check: null });
const test = new Item("daily", { test: "daily", machine: null, check: null }, file);
const [web, db] = ["web", "db"].map((machine) => new Item(machine, { test: "daily", machine, check: null }, test));
assert.ok(web !== undefined && db !== undefined);
const checks = ["hostname", "certificate"].map((check) => {
  return new Item(check, { test: "daily", machine: "web", check }, web);
}) as [Item, Item];
const other = new Item("other", { test: "other", machine: null, check: null }, file);
const single = new Item("mail", { test: "other", machine: "mail", check: null }, other);

const runs = (include: Item[], exclude: Item[] = []) =>
  wantedRuns({ include, exclude }, ({ place }) => place).map(({ test, machine, checks }) =>
    [test.label, machine?.label ?? "all", ...(checks?.map(({ label }) => label) ?? [])].join(" "),
  );

describe("what is asked of the Test Explorer", () => {
  it("is a run for each test of a file", () => {
    assert.deepEqual(runs([file]), ["daily all", "other all"]);
  });

  it("is each machine once, however often it is named", () => {
    assert.deepEqual(runs([test, web, checks[0]]), ["daily all"]);
    assert.deepEqual(runs([web, checks[0]]), ["daily web"]);
    assert.deepEqual(runs([checks[0], checks[1]]), ["daily web hostname certificate"]);
    assert.deepEqual(runs([single]), ["other all"]);
  });

  it("leaves out what is excluded, at any depth", () => {
    assert.deepEqual(runs([file], [web]), ["daily db", "other all"]);
    assert.deepEqual(runs([test], [checks[1]]), ["daily web hostname", "daily db"]);
    assert.deepEqual(runs([test], [web, db]), []);
    assert.deepEqual(runs([web], checks), []);
    assert.deepEqual(runs([file], [file]), []);
  });
});
