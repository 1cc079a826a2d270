// The restore tests of the workspace as the Test Explorer shows them: file, test, machine, check.

import { Range, type TestController, type TestItem, TestTag, Uri } from "vscode";
import type { RestoreTestData, TestMachineData } from "../service/policyProtocol.js";

/** What an item stands for; the parts that it does not name are all. */
export interface TestPlace {
  file: Uri;
  test: string | null;
  machine: string | null;
  check: string | null;
}

/** Which snapshots it needs: shown as a tag, `@reprise:boots`. */
const tags = new Map<string, TestTag>();

const places = new WeakMap<TestItem, TestPlace>();
const declared = new WeakMap<TestItem, string | undefined>();
const remarks = new WeakMap<TestItem, string>();
/** Checks that no line of a spec names. They stay when the spec is read again. */
const implied = new WeakSet<TestItem>();

export function placeOf(item: TestItem): TestPlace | undefined {
  return places.get(item);
}

export function idOf({ file, test, machine, check }: TestPlace): string {
  return [file.toString(), test, machine, check].filter((part) => part !== null).join(" ");
}

/** Puts the tests of one file into the controller, or takes them out. */
export function showFile(
  controller: TestController,
  file: Uri,
  label: string,
  tests: readonly RestoreTestData[],
): void {
  const place: TestPlace = { file, test: null, machine: null, check: null };
  if (tests.length === 0) {
    controller.items.delete(idOf(place));
    return;
  }
  const item = controller.items.get(idOf(place)) ?? makeItem(controller, place, label);
  item.children.replace(tests.map((test) => testItem(controller, item, { ...place, test: test.name }, test)));
  controller.items.add(item);
}

/** Items stay the same objects when a file is read again: a run may be going on with them. */
function testItem(controller: TestController, parent: TestItem, place: TestPlace, test: RestoreTestData): TestItem {
  const item = childItem(controller, parent, place, test.name, test.line);
  describe(item, test.description);
  item.children.replace(
    test.machines.map((each) => machineItem(controller, item, { ...place, machine: each.machine }, each, test.line)),
  );
  return item;
}

function machineItem(
  controller: TestController,
  parent: TestItem,
  place: TestPlace,
  { machine, level, checks }: TestMachineData,
  line: number,
): TestItem {
  const item = childItem(controller, parent, place, machine, line);
  describe(item, level);
  item.tags = [tagOf(level)];
  const declared = checks.map(({ id, type, line: ofCheck }) => {
    const check = childItem(controller, item, { ...place, check: id }, id, ofCheck);
    describe(check, type);
    implied.delete(check);
    return check;
  });
  const others = [...item.children].map(([, child]) => child).filter((child) => implied.has(child));
  item.children.replace([...declared, ...others]);
  return item;
}

/** Of a check of a machine, also of one that the level brings with it. */
export function checkItem(controller: TestController, machine: TestItem, id: string, type: string): TestItem {
  const place = places.get(machine) ?? { file: machine.uri ?? Uri.file("/"), test: null, machine: null, check: null };
  const known = machine.children.get(idOf({ ...place, check: id }));
  if (known !== undefined) return known;
  const item = makeItem(controller, { ...place, check: id }, id, (machine.range?.start.line ?? 0) + 1);
  describe(item, type);
  implied.add(item);
  machine.children.add(item);
  return item;
}

/** What its last run has to say, in place of what it is; undefined: nothing. It stays when the file is read again. */
export function remark(item: TestItem, text: string | undefined): void {
  if (text === undefined) remarks.delete(item);
  else remarks.set(item, text);
  describe(item, declared.get(item));
}

function describe(item: TestItem, text: string | undefined): void {
  declared.set(item, text);
  item.description = remarks.get(item) ?? text;
}

function childItem(
  controller: TestController,
  parent: TestItem,
  place: TestPlace,
  label: string,
  line: number,
): TestItem {
  const known = parent.children.get(idOf(place));
  if (known === undefined) return makeItem(controller, place, label, line);
  known.range = new Range(line - 1, 0, line - 1, 0);
  return known;
}

function makeItem(controller: TestController, place: TestPlace, label: string, line?: number): TestItem {
  const item = controller.createTestItem(idOf(place), label, place.file);
  if (line !== undefined) item.range = new Range(line - 1, 0, line - 1, 0);
  places.set(item, place);
  return item;
}

function tagOf(level: string): TestTag {
  const tag = tags.get(level) ?? new TestTag(level);
  tags.set(level, tag);
  return tag;
}

/** All items, the given ones and those below them. */
export function* itemsBelow(items: Iterable<readonly [string, TestItem]>): Generator<TestItem> {
  for (const [, item] of items) {
    yield item;
    yield* itemsBelow(item.children);
  }
}
