// The folders of demo repositories that this extension has made. Their files are deleted only when that is asked for, and only while
// a folder is what was made: where it was made, with nothing else in it.

import { lstat, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Memento, Uri } from "vscode";

const MADE = "demoFolders";
const MAX_MADE = 32;

interface MadeDemo {
  folder: string;
  /** Of the repository, as the settings have it. */
  location: string;
}

export class DemoFolders {
  readonly #memory: Memento;
  readonly #parent: string;

  /** `storage`: the extension's own folder. */
  constructor(memory: Memento, storage: Uri) {
    this.#memory = memory;
    this.#parent = Uri.joinPath(storage, "demo").fsPath;
  }

  /** A folder that is not there yet. */
  newFolder(): string {
    return join(this.#parent, Date.now().toString(36));
  }

  async remember(made: MadeDemo): Promise<void> {
    await this.#memory.update(MADE, [...this.#made(), made].slice(-MAX_MADE));
  }

  isDemo(location: string): boolean {
    return this.#made().some((made) => made.location === location);
  }

  /** Undefined: not made here, or not any more what was made. */
  async folderOf(location: string): Promise<string | undefined> {
    const made = this.#made().find((each) => each.location === location);
    if (made === undefined || !(await this.#isIntact(made))) return undefined;
    return made.folder;
  }

  /** Does nothing where folderOf answers undefined. */
  async remove(location: string): Promise<void> {
    const folder = await this.folderOf(location);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    await this.#memory.update(
      MADE,
      this.#made().filter((each) => each.location !== location),
    );
  }

  #made(): MadeDemo[] {
    return this.#memory.get<MadeDemo[]>(MADE, []);
  }

  async #isIntact({ folder, location }: MadeDemo): Promise<boolean> {
    if (dirname(folder) !== this.#parent || dirname(location) !== folder) return false;
    try {
      const isFolder = async (path: string) => (await lstat(path)).isDirectory();
      const names = await readdir(folder);
      const isAlone = names.length === 1 && names[0] === basename(location);
      return isAlone && (await isFolder(folder)) && (await isFolder(location)) && (await hasConfig(location));
    } catch {
      return false;
    }
  }
}

async function hasConfig(location: string): Promise<boolean> {
  return (await lstat(join(location, "config"))).isFile();
}
