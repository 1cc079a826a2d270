// A checkout with a configuration, disks and repositories, and steps of workflows on it. Every step runs with a passphrase that must
// not be seen anywhere.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cliJson } from "../cli/runInProcess.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { type ActionSurroundings, type EndedAction, runAction } from "./runAction.js";

/** Six letters would be enough to be found; nothing else contains these. */
export const CANARY = "canary-Zq8+/ wörd";

export class ActionStory {
  readonly folder: string;
  /** The checkout. */
  readonly workspace: string;
  readonly #temporary: TemporaryFolder;

  private constructor(temporary: TemporaryFolder) {
    this.#temporary = temporary;
    this.folder = temporary.path;
    this.workspace = join(temporary.path, "checkout");
  }

  static async begin(name: string): Promise<ActionStory> {
    const story = new ActionStory(await makeTemporaryFolder(`action-${name}`));
    await mkdir(story.workspace);
    await mkdir(story.path("disks"));
    return story;
  }

  async end(): Promise<void> {
    await this.#temporary.remove();
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** Makes an encrypted repository, by the command line. Answers its location. */
  async repository(name: string, ...options: string[]): Promise<string> {
    const location = this.path(name);
    await this.cli("init", "-r", location, "--pack-size", "1M", ...options);
    return location;
  }

  async disk(name: string, sizeBytes: number): Promise<string> {
    const path = this.path("disks", `${name}.raw`);
    await writeFile(path, randomBytes(sizeBytes));
    return path;
  }

  /** A file of the checkout; a value is written as JSON, which is YAML. */
  async file(name: string, content: string | object): Promise<void> {
    await writeFile(
      join(this.workspace, name),
      typeof content === "string" ? content : JSON.stringify(content, null, 2),
    );
  }

  async cli<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    return await cliJson<T>(args, { env: { REPRISE_PASSPHRASE: CANARY } });
  }

  step(inputs: Record<string, string>, more: Partial<ActionSurroundings> = {}): ActionSurroundings {
    const { env, ...rest } = more;
    return { workspace: this.workspace, inputs, env: { REPRISE_PASSPHRASE: CANARY, ...env }, ...rest };
  }

  /** Runs a step; nothing that it leaves has the canary in it. */
  async run(inputs: Record<string, string>, more: Partial<ActionSurroundings> = {}): Promise<EndedAction> {
    const ended = await runAction(this.step(inputs, more));
    await assertClean(ended);
    return ended;
  }

  /** Runs a step that has to succeed. */
  async passes(inputs: Record<string, string>, more: Partial<ActionSurroundings> = {}): Promise<EndedAction> {
    const ended = await this.run(inputs, more);
    assert.equal(ended.code, 0, ended.printed);
    assert.equal(ended.outputs.result, "passed", ended.printed);
    return ended;
  }
}

const FORMS = [
  CANARY,
  encodeURIComponent(CANARY),
  Buffer.from(CANARY).toString("base64"),
  JSON.stringify(CANARY).slice(1, -1),
];

/** Log, outputs, summary and every file of the report folder. */
export async function assertClean(ended: EndedAction): Promise<void> {
  const texts = [ended.printed, ended.summary, JSON.stringify(ended.outputs), JSON.stringify(ended.annotations)];
  const folder = ended.outputs["report-folder"];
  for (const file of folder ? await filesBelow(folder) : []) texts.push(file, await readFile(file, "latin1"));
  for (const text of texts) for (const form of FORMS) assert.ok(!text.includes(form), "the canary is seen");
}

export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
