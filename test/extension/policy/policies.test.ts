// What Policies tells and forgets, with an editor that only hands out its events: which of them count cannot be seen from outside.

import assert from "node:assert/strict";
import type { Policies } from "../../../extension/policy/policies.js";
import { importWithEditor } from "../support/handedOutEditor.js";
import { PlainEmitter } from "../support/plainEmitter.js";
import { PlainUri } from "../support/plainTestController.js";

type Listener = (given: unknown) => void;

const listeners = new Map<string, Listener[]>();
type Tell = (uri: PlainUri) => void;
const watched: { pattern: unknown; disposed: boolean; tell: Tell; come: Tell; go: Tell }[] = [];
const files = new Map<string, string>();
/** What the editor's search finds, and how often it was asked. */
let found: PlainUri[] = [];
const searches: string[] = [];

const on = (name: string) => (listener: Listener) => {
  listeners.set(name, [...(listeners.get(name) ?? []), listener]);
  return { dispose: () => {} };
};
const tell = (name: string, given: unknown) => {
  for (const listener of listeners.get(name) ?? []) listener(given);
};

const editor = {
  Uri: PlainUri,
  RelativePattern: class {
    readonly base: PlainUri;
    readonly pattern: string;
    constructor(base: PlainUri, pattern: string) {
      this.base = base;
      this.pattern = pattern;
    }
  },
  EventEmitter: PlainEmitter,
  workspace: {
    isTrusted: true,
    textDocuments: [],
    onDidChangeTextDocument: on("change"),
    onDidOpenTextDocument: on("open"),
    onDidCloseTextDocument: on("close"),
    onDidGrantWorkspaceTrust: on("trust"),
    onDidChangeWorkspaceFolders: on("folders"),
    findFiles: async (pattern: string) => {
      searches.push(pattern);
      return found;
    },
    createFileSystemWatcher: (pattern: unknown) => {
      const [changed, created, deleted] = [new PlainEmitter(), new PlainEmitter(), new PlainEmitter()];
      const [tell, come, go] = [changed, created, deleted].map((each) => (uri: PlainUri) => each.fire(uri)) as [
        ...[Tell, Tell, Tell],
      ];
      const watcher = { ...{ pattern, disposed: false }, tell, come, go };
      watched.push(watcher);
      const dispose = () => {
        watcher.disposed = true;
      };
      return { onDidCreate: created.event, onDidChange: changed.event, onDidDelete: deleted.event, dispose };
    },
    fs: {
      stat: async (uri: PlainUri) => ({ size: files.get(uri.path)?.length ?? 0 }),
      readFile: async (uri: PlainUri) => new TextEncoder().encode(files.get(uri.path)),
    },
  },
};

type Imported = typeof import("../../../extension/policy/policies.js");

describe("policies that are known", () => {
  const named = { files: ["/w/far.yaml"], folders: ["/w/tests"] };
  const readings: string[] = [];
  const policy = new PlainUri("/w/reprise.yml");
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
        : `${(pattern as { base: PlainUri }).base.path}:${(pattern as { pattern: string }).pattern}`,
    );
    assert.deepEqual(patterns, [
      "**/reprise.{yml,yaml}",
      "**/*.restore-test.{yml,yaml,json}",
      "**",
      "/w:far.yaml",
      "/w/tests:**/*.{yml,yaml,json}",
    ]);
    await read();
    assert.deepEqual(readings, ["readPolicy /w/reprise.yml"]);
  });

  it("are read again after another program has changed them, or what they name", async () => {
    for (const [at, path] of [
      [0, policy.path],
      [1, "/w/other.restore-test.yaml"],
      [3, "/w/far.yaml"],
      [4, "/w/tests/new.yaml"],
    ] as const) {
      told = [];
      watched[at]?.tell(new PlainUri(path));
      assert.deepEqual(told, [at === 1 ? path : policy.path]);
      await read();
    }
    assert.equal(readings.length, 3);
    assert.equal(watched.length, 5);
  });

  it("are looked for once, until a file or a folder comes or goes", async () => {
    const [, , anything] = watched;
    found = [policy];
    searches.length = 0;
    const uris = async () => (await policies.uris("policy")).map(({ path }) => path);
    for (let i = 0; i < 3; i++) assert.deepEqual(await uris(), [policy.path]);
    assert.equal(searches.length, 1);
    const events = [
      () => anything?.come(new PlainUri("/w/sub")),
      () => anything?.go(new PlainUri("/w/sub")),
      () => watched[0]?.come(new PlainUri("/w/new/reprise.yml")),
      () => watched[0]?.go(new PlainUri("/w/new/reprise.yml")),
      () => tell("folders", {}),
    ];
    for (const [at, happens] of events.entries()) {
      happens();
      await uris();
      assert.equal(searches.length, at + 2);
    }
    anything?.come(new PlainUri("/w/.git/index.lock"));
    anything?.go(new PlainUri("/w/node_modules/a/b"));
    await uris();
    assert.equal(searches.length, events.length + 1);
  });

  it("are forgotten with the folder that they were in, and so is what they name", async () => {
    const inside = new PlainUri("/w/sub/reprise.yml");
    files.set(inside.path, "machines: {}\n");
    await policies.read(inside as never);
    const own = watched.slice(-2);
    files.delete(inside.path);
    told = [];
    watched[2]?.go(new PlainUri("/w/su"));
    assert.deepEqual(told, []);
    watched[2]?.go(new PlainUri("/w/sub"));
    assert.deepEqual(told, [inside.path]);
    assert.ok(own.every(({ disposed }) => disposed));
    told = [];
    watched[3]?.tell(new PlainUri("/w/far.yaml"));
    assert.deepEqual(told, [policy.path]);
  });

  it("are nobody's matter when another document is closed", async () => {
    tell("close", { uri: new PlainUri("/w/notes.md"), languageId: "markdown", getText: () => "" });
    tell("close", { uri: new PlainUri("/w/values.yaml"), languageId: "yaml", getText: () => "a: 1\n" });
    assert.deepEqual(told, []);
    tell("close", { uri: policy, languageId: "yaml", getText: () => "" });
    assert.deepEqual(told, [policy.path]);
  });

  it("watch nothing more in the end", () => {
    policies.dispose();
    assert.ok(watched.every(({ disposed }) => disposed));
  });
});
