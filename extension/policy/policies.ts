// The reprise.yml and spec files that are known: read by the service at the first need and again when their text has changed. What
// is shown in an editor counts as it is there, not as it is saved.

import { type Disposable, type Event, EventEmitter, type TextDocument, type Uri, workspace } from "vscode";
import type { ServiceClient } from "../service/client.js";
import type { PolicyData, SpecData } from "../service/policyProtocol.js";

export type Reading = { uri: Uri; text: string } & (
  | { kind: "policy"; data: PolicyData; lastSound: PolicyData | undefined }
  | { kind: "spec"; data: SpecData }
);

const MAX_TEXT = 1024 * 1024;
/** Between the last key that was typed and the reading. */
const PAUSE_MS = 300;
const MAX_FOUND = 500;

export const POLICY_FILES = "**/reprise.{yml,yaml}";
export const SPEC_FILES = "**/*.restore-test.{yml,yaml}";
export const EXCLUDED = "**/{node_modules,.git}/**";

export class Policies implements Disposable {
  readonly #client: ServiceClient;
  readonly #readings = new Map<string, Promise<Reading | undefined>>();
  readonly #lastSound = new Map<string, PolicyData>();
  readonly #pauses = new Map<string, NodeJS.Timeout>();
  readonly #changed = new EventEmitter<Uri>();
  readonly #listeners: Disposable[];
  /** The file was opened, changed or closed: what was read of it is old. */
  readonly onDidChange: Event<Uri> = this.#changed.event;

  constructor(client: ServiceClient) {
    this.#client = client;
    this.#listeners = [
      workspace.onDidChangeTextDocument(({ document }) => this.#later(document)),
      workspace.onDidOpenTextDocument((document) => this.#later(document)),
      workspace.onDidCloseTextDocument(({ uri }) => this.forget(uri)),
      workspace.onDidGrantWorkspaceTrust(() => this.#forgetAll()),
      this.#changed,
    ];
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
    for (const pause of this.#pauses.values()) clearTimeout(pause);
  }

  /** Undefined for a file that is neither, that is not there, or that is far too large. */
  read(uri: Uri): Promise<Reading | undefined> {
    const key = uri.toString();
    const known = this.#readings.get(key);
    if (known !== undefined) return known;
    const reading = this.#readAnew(uri);
    this.#readings.set(key, reading);
    reading.catch(() => this.#readings.delete(key));
    return reading;
  }

  /** Policies of the workspace that have no mistake. */
  async soundPolicies(): Promise<{ uri: Uri; text: string; data: PolicyData }[]> {
    const uris = await workspace.findFiles(POLICY_FILES, EXCLUDED, MAX_FOUND);
    const readings = await Promise.all(uris.map((uri) => this.read(uri).catch(() => undefined)));
    return readings.flatMap((reading) => {
      if (reading?.kind !== "policy" || !reading.data.sound) return [];
      return [{ uri: reading.uri, text: reading.text, data: reading.data }];
    });
  }

  forget(uri: Uri): void {
    this.#readings.delete(uri.toString());
    this.#changed.fire(uri);
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
    if (data.sound) this.#lastSound.set(uri.toString(), data);
    return { uri, text, kind, data, lastSound: this.#lastSound.get(uri.toString()) };
  }
}

/** By its name, or by what it says to be. */
export function isOurs(document: TextDocument): boolean {
  const { uri, languageId } = document;
  if (!["file", "untitled"].includes(uri.scheme)) return false;
  return isNamedAsOurs(uri) || (languageId === "yaml" && isSpecText(document.getText()));
}

export function isSpecText(text: string): boolean {
  return text.length <= MAX_TEXT && /^kind:[ \t]*["']?RestoreTest\b/m.test(text);
}

function isNamedAsOurs({ path }: Uri): boolean {
  return /\/(reprise|[^/]+\.restore-test)\.ya?ml$/.test(path);
}

function kindOf({ path }: Uri, text: string): Reading["kind"] | undefined {
  if (/\/reprise\.ya?ml$/.test(path)) return "policy";
  return /\.restore-test\.ya?ml$/.test(path) || isSpecText(text) ? "spec" : undefined;
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
