// A folder with a configuration, a local repository and two small disks, for verbs that go by reprise.yml.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { type CliResult, type CliSurroundings, cli } from "./runInProcess.js";

export const PASSPHRASE = "canary-passphrase-51";

export class ConfiguredFolder {
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  /** `repository` is an encrypted one; `a.raw` and `b.raw` are disks. */
  static async make(yaml: string): Promise<ConfiguredFolder> {
    const made = new ConfiguredFolder(await makeTemporaryFolder("configured"));
    await writeFile(made.path("reprise.yml"), yaml);
    await writeFile(made.path("a.raw"), noise(1, 200_000));
    await writeFile(made.path("b.raw"), noise(2, 100_000));
    const { code, stderr } = await made.cli(["init", "-r", made.path("repository")]);
    assert.equal(code, 0, stderr);
    return made;
  }

  path(name: string): string {
    return join(this.#folder.path, name);
  }

  async remove(): Promise<void> {
    await this.#folder.remove();
  }

  /** With the variables of a pipeline. */
  async cli(args: readonly string[], surroundings: CliSurroundings = {}): Promise<CliResult> {
    const env = { REPRISE_PASSPHRASE: PASSPHRASE, REPRISE_STATE_DIR: this.path("state"), ...surroundings.env };
    return await cli(args, { ...surroundings, env });
  }

  /** Of a verb that takes --config. */
  async configured(args: readonly string[], surroundings: CliSurroundings = {}): Promise<CliResult> {
    return await this.cli([...args, "--config", this.path("reprise.yml")], surroundings);
  }

  async json<Document>(args: readonly string[], code = 0): Promise<Document> {
    const result = await this.configured([...args, "--json"]);
    assert.equal(result.code, code, result.stderr);
    return JSON.parse(result.stdout) as Document;
  }
}
