// When the gate is asked, and what it listens to, with an editor and a git that only hand out their events.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ServiceStops } from "../../../extension/model/serviceStops.js";
import type { GateStatus } from "../../../extension/policy/gateStatus.js";
import { importWithEditor } from "../support/handedOutEditor.js";

const WAIT_MS = 10_000;

/** How often the gate has drawn what it decided: it tells the menus then. */
let drawn = 0;
const item = { text: "", tooltip: "", backgroundColor: undefined as unknown, shown: false };
const nothing = { dispose: () => {} };
const uri = (path: string) => ({ scheme: "file", path, fsPath: path, toString: () => `file://${path}` });

/** A git repository of the editor, on a branch that left `origin/main`. */
function makeGit(path: string) {
  const listeners = new Set<() => void>();
  const git = {
    rootUri: uri(path),
    listeners,
    state: {
      HEAD: { name: "change", commit: "c0" },
      remotes: [{ name: "origin" }],
      ...{ workingTreeChanges: [], indexChanges: [], mergeChanges: [], untrackedChanges: [] },
      onDidChange: (listener: () => void) => {
        listeners.add(listener);
        return { dispose: () => listeners.delete(listener) };
      },
    },
    getCommit: async (ref: string) => {
      if (ref === "origin/main") return { hash: "b".repeat(40) };
      throw new Error("unknown");
    },
    getMergeBase: async () => undefined,
    getConfig: async () => "",
  };
  return git;
}

const git = makeGit("/nowhere/work");
const told = { open: () => {}, close: () => {}, policy: () => {} };
const api = {
  repositories: [git],
  onDidOpenRepository: (listener: () => void) => {
    told.open = listener;
    return nothing;
  },
  onDidCloseRepository: (listener: () => void) => {
    told.close = listener;
    return nothing;
  },
};

const editor = {
  commands: {
    executeCommand: async (_: string, key: string) => {
      if (key === "reprise.hasGate") drawn++;
    },
  },
  env: { language: "en" },
  extensions: { getExtension: () => ({ isActive: true, exports: { enabled: true, getAPI: () => api } }) },
  l10n: {
    t: (text: string, ...values: unknown[]) => text.replaceAll(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
  },
  QuickPickItemKind: { Separator: -1 },
  Range: class {},
  StatusBarAlignment: { Left: 1 },
  ThemeColor: class {
    readonly id: string;
    constructor(id: string) {
      this.id = id;
    }
  },
  ...{ EventEmitter: class {}, FileSystemError: class {}, RelativePattern: class {}, Uri: {} },
  window: {
    createStatusBarItem: () => ({
      ...nothing,
      show: () => {
        item.shown = true;
      },
      hide: () => {
        item.shown = false;
      },
      set text(text: string) {
        item.text = text;
      },
      set tooltip(text: string) {
        item.tooltip = text;
      },
      set backgroundColor(color: unknown) {
        item.backgroundColor = color;
      },
    }),
  },
  workspace: {
    isTrusted: true,
    textDocuments: [],
    asRelativePath: () => "reprise.yml",
    getConfiguration: () => ({ get: () => undefined }),
    onDidChangeConfiguration: () => nothing,
  },
};

type Imported = typeof import("../../../extension/policy/gateStatus.js");

describe("when the gate is asked", () => {
  const { setInterval, setTimeout, clearTimeout } = globalThis;
  const realNow = Date.now;
  /** What the gate does once git has told everything; how often it began to wait for that. */
  let pause: (() => void) | undefined;
  let pauses = 0;
  /** What the gate does by itself, and how far its clock is ahead of ours. */
  let every = { run: () => {}, ms: 0 };
  let laterMs = 0;
  const stops = new ServiceStops();
  let gate: GateStatus;
  let asked = 0;
  let answer: () => unknown = () => [];
  const decided = (gateName: string, decision: string) => ({
    gate: gateName,
    data: { gate: gateName, decision, verdict: `it is ${decision}`, machines: [] },
    problem: null,
  });

  before(async () => {
    const policies = {
      onDidChange: (listener: () => void) => {
        told.policy = listener;
        return nothing;
      },
      uris: async () => [uri("/nowhere/work/reprise.yml")],
      policies: async () => [
        {
          kind: "policy",
          uri: uri("/nowhere/work/reprise.yml"),
          data: { sound: true, gates: [{ name: "production" }] },
        },
      ],
    };
    const client = {
      call: async () => {
        asked++;
        return answer();
      },
    };
    const log = { warn: () => {} };
    const repositories = { keptSecrets: async () => [] };
    const { GateStatus } = await importWithEditor<Imported>("policy/gateStatus.js", editor);
    gate = new GateStatus({ client, repositories, policies, stops, log } as never);
    answer = () => [decided("production", "go"), decided("staging", "blocked")];
    globalThis.setInterval = ((run: () => void, ms: number) => {
      every = { run, ms };
    }) as never;
    globalThis.setTimeout = ((run: () => void) => {
      pause = run;
      return ++pauses;
    }) as never;
    globalThis.clearTimeout = ((id: number | undefined) => {
      if (id === pauses) pause = undefined;
    }) as never;
    Date.now = () => realNow() + laterMs;
    await gate.start();
    await decides();
  });
  after(() => {
    Object.assign(globalThis, { setInterval, setTimeout, clearTimeout });
    Date.now = realNow;
    gate?.dispose();
  });

  /** The pause is over; until what was decided is drawn. */
  async function decides(): Promise<void> {
    await until(() => pause !== undefined);
    const [run, before] = [pause, drawn];
    pause = undefined;
    run?.();
    await until(() => drawn > before);
  }

  /** Until what was told has been looked into, and the pause has begun. */
  async function looks(tell: () => void): Promise<void> {
    const before = pauses;
    tell();
    await until(() => pauses > before);
  }

  async function until(isSo: () => boolean): Promise<void> {
    for (const endMs = realNow() + WAIT_MS; !isSo(); await sleep(5))
      assert.ok(realNow() < endMs, `not within ${WAIT_MS} ms: ${isSo}`);
  }

  let release: () => void;
  /** Until the gate has asked, and waits. */
  async function asks(): Promise<void> {
    const before = asked;
    answer = () =>
      new Promise((resolve) => {
        release = () => resolve([decided("production", "go")]);
      });
    gate.factsChanged();
    const run = pause;
    pause = undefined;
    run?.();
    await until(() => asked > before);
  }
  async function draws(tell: () => void): Promise<void> {
    const before = drawn;
    tell();
    await until(() => drawn > before);
  }

  it("shows the worst of the gates, what they were compared with, and since when it is known", () => {
    assert.equal(asked, 1);
    assert.ok(item.shown);
    assert.equal(item.text, "$(error) Gate: blocked");
    assert.match(item.tooltip, /production: it is go\nCompared with origin\/main \(bbbbbbbbb\)|staging: it is blocked/);
    assert.match(item.tooltip, /Compared with origin\/main \(bbbbbbbbb\)/);
    assert.match(item.tooltip, /As of /);
    assert.notEqual(item.backgroundColor, undefined);
  });

  it("listens to a git repository once, and not after it was closed", async () => {
    for (let i = 0; i < 3; i++) await looks(told.policy);
    assert.equal(git.listeners.size, 1);
    api.repositories = [];
    await looks(told.close);
    await decides();
    assert.equal(git.listeners.size, 0);
    assert.equal(item.shown, false);
    api.repositories = [git];
    await looks(told.open);
    await decides();
    assert.equal(git.listeners.size, 1);
    assert.ok(item.shown);
  });

  it("asks again when facts have changed, and not when nothing has", async () => {
    const before = asked;
    for (const listener of git.listeners) listener();
    await decides();
    assert.equal(asked, before);
    gate.factsChanged();
    await decides();
    assert.equal(asked, before + 1);
  });

  it("asks again in a window where nothing happens, before the answer is old", async () => {
    const before = asked;
    laterMs = every.ms;
    every.run();
    await decides();
    assert.equal(asked, before + 1);
  });

  it("asks once more when facts change while an answer is being made", async () => {
    await asks();
    gate.factsChanged();
    pause?.();
    const before = asked;
    await draws(release);
    answer = () => [decided("production", "blocked")];
    await decides();
    assert.equal(asked, before + 1);
    assert.equal(item.text, "$(error) Gate: blocked");
  });

  it("shows no answer about what is gone when it has come", async () => {
    await asks();
    api.repositories = [];
    await looks(told.close);
    await draws(release);
    assert.equal(item.shown, false);
    answer = () => [decided("production", "go")];
    api.repositories = [git];
    await looks(told.open);
    await decides();
    assert.equal(item.text, "$(pass) Gate: go");
  });

  it("is unknown, and shut, while the service dies of it; it asks by itself no more", async () => {
    answer = () => {
      throw new Error("the background service stopped");
    };
    for (let i = 0; i < 2; i++) stops.note(Date.now());
    const before = asked;
    for (let i = 0; i < 2; i++) {
      gate.factsChanged();
      await decides();
    }
    assert.equal(asked, before);
    assert.equal(item.text, "$(question) Gate: unknown");
    assert.notEqual(item.backgroundColor, undefined);
    assert.match(item.tooltip, /stopped twice/);
  });
});
