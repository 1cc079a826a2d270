import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inProject } from "../support/projectRoot.js";

const bundle = inProject("dist", "extension", "main.cjs");
/** Far below what holds the core (service.mjs has over a megabyte): the editor's side alone, as its features have grown. */
const MOST_BYTES = 300_000;

/** Stands for anything of the editor: can be called, made, asked for members. */
function anything(calls: string[], name: string): unknown {
  const target = class {};
  return new Proxy(target, {
    get: (_, member) => {
      if (member === Symbol.toPrimitive) return () => "";
      if (member === Symbol.iterator) return () => [][Symbol.iterator]();
      if (member === "get") return (_key: string, fallback?: unknown) => fallback;
      // no folder is open, and nobody has written a setting
      if (member === "workspaceFolders") return undefined;
      if (member === "inspect") return () => undefined;
      return anything(calls, `${name}.${String(member)}`);
    },
    set: () => true,
    apply: () => {
      calls.push(name);
      return anything(calls, `${name}()`);
    },
    construct: () => {
      calls.push(`new ${name}`);
      return anything(calls, `new ${name}`) as object;
    },
  });
}

/** Modules that start threads and processes, touch files, or connect. */
const STARTERS = ["node:worker_threads", "node:child_process", "node:fs", "node:fs/promises", "node:net", "node:http"];

/** With functions and classes that fail the test when they are used. */
function refusing(name: string, real: object): object {
  const entries = Object.entries(real).map(([member, value]) => {
    const refuse = new Proxy(class {}, {
      apply: () => assert.fail(`${name}: ${member} was called`),
      construct: () => assert.fail(`${name}: ${member} was made`),
    });
    return [member, typeof value === "function" ? refuse : value];
  });
  return Object.fromEntries(entries);
}

/** Every name that our sources import from the editor. */
function editorApi(calls: string[]): Record<string, unknown> {
  const texts = readdirSync(inProject("extension"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(inProject("extension", path), "utf8"));
  const lists = texts.flatMap((text) =>
    Array.from(text.matchAll(/import \{([^}]+)\} from "vscode"/g), ([, list]) => list),
  );
  const names = lists.flatMap((list) => (list ?? "").split(",").map((name) => name.trim()));
  return Object.fromEntries(names.map((name) => [name, anything(calls, `vscode.${name}`)]));
}

describe("activating the extension", () => {
  it("registers and starts nothing: no thread, no process, no file, no network", function () {
    if (!existsSync(bundle)) this.skip();
    const text = readFileSync(bundle, "utf8");
    assert.ok(text.length < MOST_BYTES, `${text.length} bytes`);
    const calls: string[] = [];
    const asked: string[] = [];
    const real = createRequire(bundle);
    const load = (name: string): unknown => {
      asked.push(name);
      if (name === "vscode") return editorApi(calls);
      return STARTERS.includes(name) ? refusing(name, real(name)) : real(name);
    };
    const module = { exports: {} as { activate(context: unknown): void } };
    new Function("require", "module", "exports", text)(load, module, module.exports);
    const subscriptions: unknown[] = [];
    const packageJSON = JSON.parse(readFileSync(inProject("package.json"), "utf8"));
    const parts = { secrets: {}, globalState: {}, extension: { packageJSON } };
    const context = { subscriptions, asAbsolutePath: (path: string) => path, ...parts };
    module.exports.activate(context);
    assert.deepEqual(
      asked.filter((name) => name !== "vscode" && !name.startsWith("node:")),
      [],
    );
    assert.ok(subscriptions.length > 10);
    assert.ok(calls.includes("vscode.workspace.registerFileSystemProvider"));
    // what waits for the end of activation is not run here
    for (const part of subscriptions) (part as { dispose(): unknown }).dispose();
    assert.ok(!calls.some((call) => /show(Input|Quick|Error|Information|Warning)/.test(call)), calls.join(" "));
  });
});
