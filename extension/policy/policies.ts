// The reprise.yml and spec files that are known: read by the service at the first need and again when their text has changed. What
// is shown in an editor counts as it is there, not as it is saved.

import { basename, dirname } from "node:path";
import {
  type Disposable,
  type Event,
  EventEmitter,
  type GlobPattern,
  RelativePattern,
  type TextDocument,
  Uri,
  workspace,
} from "vscode";
import { kindOfName, MAX_NAMED, NamedFiles, POLICY_FILES, type PolicyKind, SPEC_FILES } from "../model/policyNames.js";
import type { ServiceClient } from "../service/client.js";
import type { PolicyData, SpecData } from "../service/policyProtocol.js";
import { WorkspaceFiles } from "./workspaceFiles.js";

export interface PolicyReading {
  kind: "policy";
  uri: Uri;
  text: string;
  data: PolicyData;
  /** What it said before there was a mistake in it. */
  lastSound: PolicyData | undefined;
}

export interface SpecReading {
  kind: "spec";
  uri: Uri;
  text: string;
  data: SpecData;
}

export type Reading = PolicyReading | SpecReading;

const MAX_TEXT = 1024 * 1024;
/** Between the last key that was typed and the reading. */
const PAUSE_MS = 300;
const NOTHING_READ: PolicyData = {
  ...{
    problems: [],
    sound: false,
    repositories: [],
    machines: [],
    jobs: [],
    restoreTests: [],
    gates: [],
    patterns: [],
  },
  named: { files: [], folders: [] },
};

export class Policies implements Disposable {
  readonly #client: ServiceClient;
  readonly #readings = new Map<string, Promise<Reading | undefined>>();
  readonly #lastSound = new Map<string, PolicyData>();
  readonly #pauses = new Map<string, NodeJS.Timeout>();
  readonly #changed = new EventEmitter<Uri>();
  readonly #listeners: Disposable[];
  readonly #files = new WorkspaceFiles();
  readonly #named = new NamedFiles();
  /** Of files that are found by name, from the first reading on. */
  readonly #watchers: Disposable[] = [];
  /** Of files that only a policy names, by policy. */
  readonly #namedWatchers = new Map<string, Disposable[]>();
  /** The file was opened, changed or closed, or one that it names: what was read of it is old. */
  readonly onDidChange: Event<Uri> = this.#changed.event;

  constructor(client: ServiceClient) {
    this.#client = client;
    this.#listeners = [
      workspace.onDidChangeTextDocument(({ document }) => this.#later(document)),
      workspace.onDidOpenTextDocument((document) => this.#later(document)),
      workspace.onDidCloseTextDocument((document) => this.#closed(document)),
      workspace.onDidGrantWorkspaceTrust(() => this.#forgetAll()),
      workspace.onDidChangeWorkspaceFolders(() => this.#files.forget()),
      this.#changed,
    ];
  }

  dispose(): void {
    const named = [...this.#namedWatchers.values()].flat();
    for (const each of [...this.#listeners, ...this.#watchers, ...named]) each.dispose();
    for (const pause of this.#pauses.values()) clearTimeout(pause);
  }

  /** Undefined for a file that is neither, that is not there, or that is far too large. */
  read(uri: Uri): Promise<Reading | undefined> {
    this.#watch();
    const key = uri.toString();
    const known = this.#readings.get(key);
    if (known !== undefined) return known;
    const reading = this.#readAnew(uri);
    this.#readings.set(key, reading);
    reading.catch(() => {
      if (this.#readings.get(key) === reading) this.#readings.delete(key);
    });
    return reading;
  }

  /** Of the workspace, by their names. `anew`: whatever is known. */
  uris(kind: PolicyKind, { anew = false } = {}): Promise<readonly Uri[]> {
    this.#watch();
    if (anew) this.#files.forget();
    return this.#files.find(kind);
  }

  /** Policies of the workspace that have no mistake. */
  async soundPolicies(): Promise<{ uri: Uri; text: string; data: PolicyData }[]> {
    return (await this.policies()).flatMap(({ uri, text, data }) => (data.sound ? [{ uri, text, data }] : []));
  }

  /** All policies of the workspace, also those with mistakes, and those that could not be read just now. */
  async policies(): Promise<PolicyReading[]> {
    const uris = await this.uris("policy");
    const readings = await Promise.all(uris.map((uri) => this.read(uri).catch(() => this.#unread(uri))));
    return readings.flatMap((reading) => (reading?.kind === "policy" ? [reading] : []));
  }

  /** It is there all the same: what is known of it is what it said before. */
  #unread(uri: Uri): PolicyReading {
    return { kind: "policy", uri, text: "", data: NOTHING_READ, lastSound: this.#lastSound.get(uri.toString()) };
  }

  forget(uri: Uri): void {
    this.#readings.delete(uri.toString());
    this.#changed.fire(uri);
  }

  /** What was typed and not saved is gone with it; documents that are not ours are nobody's matter. */
  #closed(document: TextDocument): void {
    const key = document.uri.toString();
    if (!isOurs(document) && !this.#readings.has(key)) return;
    this.#lastSound.delete(key);
    this.forget(document.uri);
  }

  /** Other programs change files, too: a checkout of another branch, for one. */
  #watch(): void {
    if (this.#watchers.length > 0) return;
    for (const pattern of [POLICY_FILES, SPEC_FILES]) this.#watchers.push(...this.#watcher(pattern));
    // a folder that comes or goes is told of itself only, not of what is in it
    const anything = workspace.createFileSystemWatcher("**", false, true, false);
    const came = ({ path }: Uri) => this.#files.changed(path);
    const went = (uri: Uri) => {
      this.#files.changed(uri.path);
      for (const key of [...this.#readings.keys()].filter((each) => each.startsWith(`${uri}/`)))
        this.#gone(Uri.parse(key, true));
    };
    this.#watchers.push(anything, anything.onDidCreate(came), anything.onDidDelete(went));
  }

  #gone(uri: Uri): void {
    const key = uri.toString();
    this.#files.changed(uri.path);
    this.#lastSound.delete(key);
    this.#changedFile(uri);
    this.#named.delete(key);
    for (const watcher of this.#namedWatchers.get(key) ?? []) watcher.dispose();
    this.#namedWatchers.delete(key);
  }

  #watcher(pattern: GlobPattern): Disposable[] {
    const watcher = workspace.createFileSystemWatcher(pattern);
    const changed = (uri: Uri) => this.#changedFile(uri);
    const came = (uri: Uri) => {
      // before anybody hears of it and asks what there is
      this.#files.changed(uri.path);
      this.#changedFile(uri);
    };
    const gone = (uri: Uri) => this.#gone(uri);
    return [watcher, watcher.onDidCreate(came), watcher.onDidChange(changed), watcher.onDidDelete(gone)];
  }

  #changedFile(uri: Uri): void {
    if (kindOfName(uri.path) !== undefined || this.#readings.has(uri.toString())) this.forget(uri);
    for (const policy of this.#named.policiesThatName(uri.fsPath)) this.forget(Uri.parse(policy, true));
  }

  #watchNamed(uri: Uri, { named }: PolicyData): void {
    const key = uri.toString();
    if (!this.#named.set(key, named)) return;
    for (const watcher of this.#namedWatchers.get(key) ?? []) watcher.dispose();
    const files = named.files.filter((path) => kindOfName(Uri.file(path).path) === undefined).slice(0, MAX_NAMED);
    const folders = named.folders.slice(0, MAX_NAMED);
    this.#namedWatchers.set(key, [
      ...files.flatMap((path) => this.#watcher(new RelativePattern(Uri.file(dirname(path)), basename(path)))),
      ...folders.flatMap((path) => this.#watcher(new RelativePattern(Uri.file(path), "**/*.{yml,yaml,json}"))),
    ]);
  }

  #forgetAll(): void {
    this.#readings.clear();
    for (const document of workspace.textDocuments) if (isOurs(document)) this.#changed.fire(document.uri);
  }

  #later(document: TextDocument): void {
    if (!isOurs(document)) return;
    const key = document.uri.toString();
    this.#readings.delete(key);
    clearTimeout(this.#pauses.get(key));
    const read = () => {
      this.#pauses.delete(key);
      this.forget(document.uri);
    };
    this.#pauses.set(key, setTimeout(read, PAUSE_MS));
  }

  async #readAnew(uri: Uri): Promise<Reading | undefined> {
    const text = await textOf(uri);
    const kind = text === undefined ? undefined : kindOf(uri, text);
    if (text === undefined || kind === undefined) return undefined;
    const path = uri.fsPath;
    if (kind === "spec") return { uri, text, kind, data: await this.#client.call("readSpecs", { path, text }) };
    const data = await this.#client.call("readPolicy", { path, text, trusted: workspace.isTrusted });
    this.#watchNamed(uri, data);
    if (data.sound) this.#lastSound.set(uri.toString(), data);
    return { uri, text, kind, data, lastSound: this.#lastSound.get(uri.toString()) };
  }
}

/** By its name, or by what it says to be. */
export function isOurs(document: TextDocument): boolean {
  const { uri, languageId } = document;
  if (!["file", "untitled"].includes(uri.scheme)) return false;
  return kindOfName(uri.path) !== undefined || (languageId === "yaml" && isSpecText(document.getText()));
}

export function isSpecText(text: string): boolean {
  return text.length <= MAX_TEXT && /^kind:[ \t]*["']?RestoreTest\b/m.test(text);
}

function kindOf({ path }: Uri, text: string): PolicyKind | undefined {
  return kindOfName(path) ?? (isSpecText(text) ? "spec" : undefined);
}

async function textOf(uri: Uri): Promise<string | undefined> {
  const shown = workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (shown !== undefined) return shown.getText().length <= MAX_TEXT ? shown.getText() : undefined;
  try {
    if ((await workspace.fs.stat(uri)).size > MAX_TEXT) return undefined;
    return new TextDecoder().decode(await workspace.fs.readFile(uri));
  } catch {
    return undefined;
  }
}
