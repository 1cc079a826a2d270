import assert from "node:assert/strict";
import { isAllowedEdge, isInside, packagesByRoom, purePaths, roomOf } from "./rooms.js";
import { type Import, importsOf, packageOf, readSourceFiles, unreadableImports } from "./sourceFiles.js";

const files = readSourceFiles();
const imports = files.flatMap(importsOf);
const productImports = imports.filter(({ from }) => !isInside(from, "test"));

function show({ from, to }: Import): string {
  return `${from} imports ${to}`;
}

/** The files of one import cycle, or nothing. */
function findCycle(graph: Map<string, string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, trail: string[]): string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of graph.get(file) ?? []) {
      const cycle = walk(next, [...trail, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = walk(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe("imports", () => {
  it("finds the source files and their imports", () => {
    assert.ok(files.some((file) => file.path === "core/errors.ts"));
    assert.ok(imports.some(({ from, to }) => from === "core/storage/objectKey.ts" && to === "core/errors.ts"));
  });

  it("are read in every form that we write", () => {
    const text = [
      'import type { A } from "./a.js";',
      'import {\n  b,\n} from "../b/b.js";',
      'export { c } from "./c.js";',
      'import "commander";',
      'const d = await import("node:fs");',
      '// import { no } from "./comment.js";',
    ].join("\n");
    const found = importsOf({ path: "core/x/y.ts", text }).map(({ to }) => to);
    assert.deepEqual(found.sort(), ["commander", "core/b/b.ts", "core/x/a.ts", "core/x/c.ts", "node:fs"]);
    assert.equal(unreadableImports({ path: "x.ts", text: ["await im", "port(name);"].join("") }).length, 1);
  });

  it("would be refused upwards, sideways and past the door", () => {
    const refused: [string, string][] = [
      ["core/format/x.ts", "core/hash/y.ts"],
      ["core/storage/x.ts", "core/repository/y.ts"],
      ["core/repository/x.ts", "core/storage/localBackend.ts"],
      ["core/engine/pool.ts", "core/backup/lane.ts"],
      ["core/backup/x.ts", "core/restore/y.ts"],
      ["cli/x.ts", "core/errors.ts"],
      ["core/backup/x.ts", "test/support/y.ts"],
    ];
    assert.deepEqual(
      refused.filter(([from, to]) => isAllowedEdge(from, to)),
      [],
    );
    assert.ok(isAllowedEdge("core/engine/worker.ts", "core/backup/lane.ts"));
    assert.ok(isAllowedEdge("core/repository/x.ts", "core/storage/backend.ts"));
    assert.equal(roomOf("core/newRoom/x.ts"), undefined);
    assert.deepEqual(
      findCycle(
        new Map([
          ["a", ["b"]],
          ["b", ["c"]],
          ["c", ["b"]],
        ]),
      ),
      ["b", "c", "b"],
    );
  });

  it("covers every file by a room", () => {
    assert.deepEqual(
      files.filter((file) => roomOf(file.path) === undefined).map((file) => file.path),
      [],
    );
  });

  it("stay inside the table of rooms", () => {
    const wrong = imports.filter((edge) => edge.relative && !isAllowedEdge(edge.from, edge.to));
    assert.deepEqual(wrong.map(show), []);
  });

  it("name their target as plain text", () => {
    const product = files.filter(({ path }) => !isInside(path, "test"));
    assert.deepEqual(product.flatMap(unreadableImports), []);
  });

  it("have no cycles", () => {
    const graph = new Map(files.map((file) => [file.path, [] as string[]]));
    for (const { from, to, relative } of imports) if (relative) graph.get(from)?.push(to);
    assert.deepEqual(findCycle(graph) ?? [], []);
  });

  it("of the pure folders are pure", () => {
    const isPure = (path: string) => purePaths.some((pure) => isInside(path, pure));
    const wrong = imports.filter(({ from, to }) => isPure(from) && !isPure(to));
    assert.deepEqual(wrong.map(show), []);
  });

  it("write node: before the name of a built-in module", async () => {
    const { builtinModules } = await import("node:module");
    const wrong = imports.filter(({ to, relative }) => !relative && builtinModules.includes(to));
    assert.deepEqual(wrong.map(show), []);
  });

  it("name each npm package in one file only", () => {
    const users = new Map<string, Set<string>>();
    for (const { from, to, relative } of productImports) {
      if (relative || to.startsWith("node:")) continue;
      const name = packageOf(to);
      users.set(name, (users.get(name) ?? new Set()).add(from));
    }
    users.delete("vscode"); // the editor's API: extension/ as a whole, see below
    const wrong = [...users]
      .filter(([, from]) => from.size > 1)
      .map(([name, from]) => `${name}: ${[...from].join(", ")}`);
    assert.deepEqual(wrong, []);
  });

  it("name an editor's or a runner's package in its own face only", () => {
    const wrong = productImports.filter(({ from, to }) =>
      packagesByRoom.some(({ pattern, rooms }) => pattern.test(to) && !rooms.some((room) => isInside(from, room))),
    );
    assert.deepEqual(wrong.map(show), []);
    const inModel = imports.filter(({ from, to }) => to === "vscode" && isInside(from, "extension/model"));
    assert.deepEqual(inModel.map(show), []);
  });
});
