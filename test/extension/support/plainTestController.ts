// The editor's Test Explorer, as far as it is an object: items in trees, and runs that keep what they were told. For importWithEditor.

import { PlainEmitter } from "./plainEmitter.js";

/** Paths alone: `file:///a` is `/a`. */
export class PlainUri {
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
  static file(path: string): PlainUri {
    return new PlainUri(path);
  }
  static parse(text: string): PlainUri {
    return new PlainUri(text.replace("file://", ""));
  }
  static joinPath({ path }: PlainUri, ...names: string[]): PlainUri {
    return new PlainUri([path, ...names].join("/"));
  }
}

class PlainItem {
  readonly id: string;
  readonly label: string;
  readonly uri: PlainUri;
  readonly children: PlainItems;
  parent: PlainItem | undefined;
  description: string | undefined;
  constructor(id: string, label: string, uri: PlainUri) {
    [this.id, this.label, this.uri] = [id, label, uri];
    this.children = new PlainItems(this);
  }
}

class PlainItems {
  readonly #owner: PlainItem | undefined;
  readonly #items = new Map<string, PlainItem>();
  constructor(owner?: PlainItem) {
    this.#owner = owner;
  }
  get(id: string): PlainItem | undefined {
    return this.#items.get(id);
  }
  add(item: PlainItem): void {
    item.parent = this.#owner;
    this.#items.set(item.id, item);
  }
  delete(id: string): void {
    this.#items.delete(id);
  }
  replace(items: readonly PlainItem[]): void {
    this.#items.clear();
    for (const item of items) this.add(item);
  }
  [Symbol.iterator](): Iterator<[string, PlainItem]> {
    return this.#items[Symbol.iterator]();
  }
}

export class PlainTestController {
  readonly items = new PlainItems();
  /** Since it was last emptied: `LABEL STATE MESSAGES… TIME`. */
  readonly told: string[] = [];
  resolveHandler: (() => Promise<void>) | undefined;
  refreshHandler: (() => Promise<void>) | undefined;
  createTestItem(id: string, label: string, uri: PlainUri): PlainItem {
    return new PlainItem(id, label, uri);
  }
  createRunProfile(): void {}
  dispose(): void {}

  createTestRun(): object {
    const state =
      (name: string) =>
      (item: PlainItem, given?: unknown, durationMs?: number): void => {
        const messages = Array.isArray(given) ? given : typeof given === "object" ? [given] : [];
        const texts = messages.map((each) => (each as { message: string }).message);
        const ms = typeof given === "number" ? given : durationMs;
        this.told.push([item.label, name, ...texts, ...(ms === undefined ? [] : [`${ms} ms`])].join(" "));
      };
    const token = { isCancellationRequested: false, onCancellationRequested: () => ({ dispose: () => {} }) };
    return {
      ...{ token, enqueued: () => {}, started: () => {}, appendOutput: () => {}, end: () => {} },
      ...{ passed: state("passed"), failed: state("failed"), errored: state("errored"), skipped: state("skipped") },
    };
  }

  /** `FILE`, and indented by one more each: test, machine, check. */
  rows(items: PlainItems = this.items, indent = ""): string[] {
    return [...items].flatMap(([, item]) => [`${indent}${item.label}`, ...this.rows(item.children, `${indent} `)]);
  }

  item(...labels: string[]): PlainItem {
    let [items, found]: [PlainItems, PlainItem | undefined] = [this.items, undefined];
    for (const label of labels) {
      found = [...items].map(([, item]) => item).find((item) => item.label === label);
      if (found === undefined) throw new Error(`there is no ${label} in ${this.rows().join(", ")}`);
      items = found.children;
    }
    return found as PlainItem;
  }
}

/** What the files in extension/restoreTests use of the editor. */
export function testEditor(controller: PlainTestController, workspace: object): Record<string, unknown> {
  const plain = class {
    readonly given: unknown[];
    constructor(...given: unknown[]) {
      this.given = given;
    }
  };
  return {
    ...{ Uri: PlainUri, EventEmitter: PlainEmitter, Location: plain, TestTag: plain, FileSystemError: plain },
    ...{ RelativePattern: plain, env: { language: "en" }, TestRunProfileKind: { Run: 1 } },
    Position: class {
      readonly line: number;
      constructor(line: number) {
        this.line = line;
      }
    },
    Range: class {
      readonly start: { line: number };
      constructor(line: number) {
        this.start = { line };
      }
    },
    TestMessage: class {
      readonly message: string;
      constructor(message: string) {
        this.message = message;
      }
    },
    TestRunRequest: class {
      readonly include: unknown;
      constructor(include: unknown) {
        this.include = include;
      }
    },
    tests: { createTestController: () => controller },
    commands: { executeCommand: async () => undefined },
    l10n: {
      t: (text: string, ...values: unknown[]) => text.replaceAll(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
    },
    window: {},
    workspace: {
      ...{ isTrusted: true, textDocuments: [], onDidGrantWorkspaceTrust: () => ({ dispose: () => {} }) },
      getConfiguration: () => ({ inspect: () => undefined }),
      asRelativePath: ({ path }: PlainUri) => path.replace("/w/", ""),
      getWorkspaceFolder: ({ path }: PlainUri) => (path.startsWith("/w/") ? {} : undefined),
      openTextDocument: async () => ({ getText: () => "" }),
      ...workspace,
    },
  };
}
