// What Policies tells and forgets, with an editor that only hands out its events: which of them count cannot be seen from outside.

import assert from "node:assert/strict";
import type { Policies } from "../../../extension/policy/policies.js";
import { importWithEditor } from "../support/handedOutEditor.js";

type Listener = (given: unknown) => void;

/** Paths alone: `file:///a` is `/a`. */
class FakeUri {
  readonly scheme = "file";
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
  get fsPath(): string {
    return this.path;
  }
  toString(): string {
    return `file://${this.path}`;
  }
  static file(path: string): FakeUri {
    return new FakeUri(path);
  }
  static parse(text: string): FakeUri {
    return new FakeUri(text.replace("file://", ""));
  }
}

const listeners = new Map<string, Listener[]>();
const watched: { pattern: unknown; disposed: boolean; tell: (uri: FakeUri) => void }[] = [];
const files = new Map<string, string>();

const on = (name: string) => (listener: Listener) => {
  listeners.set(name, [...(listeners.get(name) ?? []), listener]);
  return { dispose: () => {} };
};
const tell = (name: string, given: unknown) => {
  for (const listener of listeners.get(name) ?? []) listener(given);
};

const editor = {
  Uri: FakeUri,
  RelativePattern: class {
    readonly base: FakeUri;
    readonly pattern: string;
    constructor(base: FakeUri, pattern: string) {
      this.base = base;
      this.pattern = pattern;
    }
  },
  EventEmitter: class {
    readonly #own: Listener[] = [];
    readonly event = (listener: Listener) => {
      this.#own.push(listener);
      return { dispose: () => {} };
    };
    fire(given: unknown): void {
      for (const listener of this.#own) listener(given);
    }
    dispose(): void {}
  },
  workspace: {
    isTrusted: true,
    textDocuments: [],
    onDidChangeTextDocument: on("change"),
    onDidOpenTextDocument: on("open"),
    onDidCloseTextDocument: on("close"),
    onDidGrantWorkspaceTrust: on("trust"),
    findFiles: async () => [],
    createFileSystemWatcher: (pattern: unknown) => {
      const changes: Listener[] = [];
      const tellAll = (uri: FakeUri) => {
        for (const each of changes) each(uri);
      };
      const watcher = { pattern, disposed: false, tell: tellAll };
      watched.push(watcher);
      const add = (listener: Listener) => {
        changes.push(listener);
        return { dispose: () => {} };
      };
      const dispose = () => {
        watcher.disposed = true;
      };
      return { onDidCreate: () => ({ dispose }), onDidChange: add, onDidDelete: () => ({ dispose }), dispose };
    },
    fs: {
      stat: async (uri: FakeUri) => ({ size: files.get(uri.path)?.length ?? 0 }),
      readFile: async (uri: FakeUri) => new TextEncoder().encode(files.get(uri.path)),
    },
  },
};

type Imported = typeof import("../../../extension/policy/policies.js");

describe("policies that are known", () => {
  const named = { files: ["/w/far.yaml"], folders: ["/w/tests"] };
  const readings: string[] = [];
  const policy = new FakeUri("/w/reprise.yml");
  let policies: Policies;
  let told: string[];
  const read = () => policies.read(policy as never);

  before(async () => {
    const client = {
      call: async (method: string, { path }: { path: string }) => {
        readings.push(`${method} ${path}`);
        return { sound: true, problems: [], restoreTests: [], named };
      },
    };
    policies = new (await importWithEditor<Imported>("policy/policies.js", editor)).Policies(client as never);
    policies.onDidChange(({ path }) => void told.push(path));
    files.set(policy.path, "machines: {}\n");
  });
  beforeEach(() => {
    told = [];
    readings.length = 0;
  });
  after(() => policies.dispose());

  it("are watched from the first reading on, and so is what only they name", async () => {
    assert.equal(watched.length, 0);
    await read();
    const patterns = watched.map(({ pattern }) =>
      typeof pattern === "string"
        ? pattern
        : `${(pattern as { base: FakeUri }).base.path}:${(pattern as { pattern: string }).pattern}`,
    );
    assert.deepEqual(patterns, [
      "**/reprise.{yml,yaml}",
      "**/*.restore-test.{yml,yaml,json}",
      "/w:far.yaml",
      "/w/tests:**/*.{yml,yaml,json}",
    ]);
    await read();
    assert.deepEqual(readings, ["readPolicy /w/reprise.yml"]);
  });

  it("are read again after another program has changed them, or what they name", async () => {
    for (const [at, path] of [
      policy.path,
      "/w/other.restore-test.yaml",
      "/w/far.yaml",
      "/w/tests/new.yaml",
    ].entries()) {
      told = [];
      watched[at]?.tell(new FakeUri(path));
      assert.deepEqual(told, [at === 1 ? path : policy.path]);
      await read();
    }
    assert.equal(readings.length, 3);
    assert.equal(watched.length, 4);
  });

  it("are nobody's matter when another document is closed", async () => {
    tell("close", { uri: new FakeUri("/w/notes.md"), languageId: "markdown", getText: () => "" });
    tell("close", { uri: new FakeUri("/w/values.yaml"), languageId: "yaml", getText: () => "a: 1\n" });
    assert.deepEqual(told, []);
    tell("close", { uri: policy, languageId: "yaml", getText: () => "" });
    assert.deepEqual(told, [policy.path]);
  });

  it("watch nothing more in the end", () => {
    policies.dispose();
    assert.ok(watched.every(({ disposed }) => disposed));
  });
});
