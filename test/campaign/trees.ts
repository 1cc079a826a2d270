// The full set of images: each is made by its own tools from a folder, backed up, and read back through the repository;
// every file must be what it was in the folder, and what another program reads from the same image.

import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual, promisify } from "node:util";
import type { MachineTree } from "../../core/files/machineTree.js";
import { openSnapshotTree } from "../../core/files/openTree.js";
import { ChunkFetcher } from "../../core/files/snapshotDisk.js";
import { parseTreePath } from "../../core/files/treePath.js";
import { makeSampleTree } from "../filesystem/ext/sampleTree.js";
import { makePortableTree } from "../filesystem/portableTree.js";
import { type TreeEntry, walkFileSystem, walkFolder } from "../filesystem/treeWalk.js";
import { inProject } from "../support/projectRoot.js";
import { noise, prose } from "../support/sampleBytes.js";
import { type Campaign, type CampaignOptions, printTable, withFolder } from "./campaign.js";
import { CommandLine } from "./commandLine.js";
import { listSnapshots, openCampaignRepository } from "./inspector.js";
import { type DiskKind, diskKinds, type ImageKind, imageKinds, type TreeName } from "./treesKinds.js";

export const treesCampaign: Campaign = {
  summary: "large images of every file system [--reader NAME], read through a repository and by other programs",
  defaultCount: 20_000,
  // Beside the disks: folders for temporary files are often too small for this.
  run: (options) => withFolder(false, (folder) => new TreesCampaign({ ...options, folder }).run(), inProject(".cache")),
};

const run = promisify(execFile);
const script = inProject("test", "fixtures", "makeFullSet.sh");
const BIG_BYTES = 100 * 1024 * 1024;
const TEXT_BYTES = 4 * 1024 * 1024;
/** mtools looks through a folder from its start for each file. */
const FEW = 300;
const CANNOT_BE_MADE = 77;
const SHOWN_DIFFERENCES = 3;

class TreesCampaign {
  readonly #folder: string;
  /** Entries of the largest folder. */
  readonly #many: number;
  readonly #only: string | undefined;
  readonly #cli: CommandLine;
  readonly #trees = new Map<TreeName, TreeEntry[]>();
  readonly #violations: string[] = [];
  readonly #rows: (string | number)[][] = [];

  constructor({ folder, count, reader }: CampaignOptions) {
    this.#folder = folder;
    this.#many = count;
    this.#only = reader;
    this.#cli = new CommandLine(folder);
  }

  async run(): Promise<string[]> {
    await this.#cli.json("init");
    const made = new Set<string>();
    const wanted = (name: string) => this.#only === undefined || name.startsWith(this.#only);
    for (const kind of imageKinds) if (wanted(kind.name) && (await this.#tryImage(kind))) made.add(kind.name);
    for (const kind of diskKinds) {
      if (kind.parts.every((part) => made.has(part.kind))) await this.#tryDisk(kind);
    }
    printTable(["image", "entries", "MiB", "other reader", "compared with it", "differences", "s"], this.#rows);
    return this.#violations;
  }

  async #tryImage(kind: ImageKind): Promise<boolean> {
    const started = performance.now();
    const tree = await this.#tree(kind.tree);
    const paths = this.#paths(kind.name, kind.devices);
    if (!(await this.#make(kind.name, [this.#treeFolder(kind.tree), paths[0] as string]))) return false;
    await this.#backUp(kind.name, paths);
    const ours = await this.#walkThroughRepository(kind.name, "/disk1/fs");
    const different = this.#compare(kind.name, ours, expectedOf(kind, tree));
    const other = await kind.otherReader(paths, ours);
    const others = other.entries === null ? "not possible here" : other.entries.length;
    const differentThere = other.entries === null ? 0 : this.#compareWithOther(kind.name, ours, other);
    const seconds = Math.round((performance.now() - started) / 1000);
    this.#report(kind.name, ours, [other.reader, others, different + differentThere, seconds]);
    return true;
  }

  async #tryDisk({ name, devices, parts }: DiskKind): Promise<void> {
    const started = performance.now();
    const paths = this.#paths(name, devices);
    const images = parts.map(({ kind }) => this.#paths(kind, 1)[0] as string);
    if (!(await this.#make(name, [paths[0] as string, ...images]))) return;
    await this.#backUp(name, paths);
    for (const { volume, kind: partName } of parts) {
      const kind = imageKinds.find((each) => each.name === partName) as ImageKind;
      const ours = await this.#walkThroughRepository(name, volume);
      const different = this.#compare(`${name} ${volume}`, ours, expectedOf(kind, await this.#tree(kind.tree)));
      const seconds = Math.round((performance.now() - started) / 1000);
      this.#report(`${name} ${volume}`, ours, ["(see the image)", "", different, seconds]);
    }
  }

  #report(name: string, ours: readonly TreeEntry[], rest: (string | number)[]): void {
    const bytes = ours.reduce((sum, { kind, sizeBytes = 0 }) => sum + (kind === "file" ? sizeBytes : 0), 0);
    const row = [name, ours.length, Math.round(bytes / 2 ** 20), ...rest];
    this.#rows.push(row);
    console.log(row.join("  "));
  }

  #paths(name: string, devices: number): string[] {
    return Array.from({ length: devices }, (_, i) => join(this.#folder, `${name}.img${i === 0 ? "" : `.${i + 1}`}`));
  }

  async #make(name: string, args: string[]): Promise<boolean> {
    try {
      await run(script, [name, ...args]);
      return true;
    } catch (error) {
      if ((error as { code?: number }).code !== CANNOT_BE_MADE) throw error;
      this.#rows.push([name, "", "", "cannot be made here", "", "", ""]);
      return false;
    }
  }

  async #backUp(name: string, paths: readonly string[]): Promise<void> {
    const disks = paths.flatMap((path, i) => ["--name", `disk${i + 1}=${path}`]);
    await this.#cli.json("backup", "--group", `vm/${name}`, "--format", "raw", ...disks);
  }

  async #walkThroughRepository(name: string, volume: string): Promise<TreeEntry[]> {
    const repository = await openCampaignRepository(this.#cli.repository);
    const fetcher = await ChunkFetcher.open(repository, { onWarning: () => {} });
    try {
      const snapshot = (await listSnapshots(repository)).find(({ manifest }) => manifest.group === `vm/${name}`);
      if (snapshot === undefined) throw new Error(`no snapshot of ${name}`);
      const tree: MachineTree = await openSnapshotTree(snapshot, fetcher);
      const node = await tree.resolve(parseTreePath(volume));
      if (!("fileSystem" in node)) throw new Error(`${volume} of ${name} is no file system`);
      return await walkFileSystem(node.fileSystem);
    } finally {
      await fetcher.close();
      await repository.close();
    }
  }

  #compare(name: string, ours: readonly TreeEntry[], expected: readonly TreeEntry[]): number {
    const copied = ours.filter(({ path }) => path !== "/lost+found");
    return this.#differences(name, "the folder", copied.map(content), expected.map(content));
  }

  #compareWithOther(
    name: string,
    ours: readonly TreeEntry[],
    { reader, entries, complete }: { reader: string; entries: TreeEntry[] | null; complete: boolean },
  ): number {
    const detail = complete ? withoutAttributes : content;
    const theirs = (entries ?? []).filter(({ path }) => complete || path !== "/");
    const names = new Set(theirs.map(({ path }) => path));
    // GRUB was asked about some only
    const asked = reader.startsWith("GRUB") ? ours.filter(({ path }) => names.has(path)) : ours;
    return this.#differences(name, reader, asked.map(detail), theirs.map(detail));
  }

  /** Also of what is on one side only. */
  #differences(name: string, other: string, ours: readonly Comparable[], theirs: readonly Comparable[]): number {
    const wanted = new Map(theirs.map((entry) => [entry.path, entry]));
    const messages: string[] = [];
    for (const entry of ours) {
      const twin = wanted.get(entry.path);
      wanted.delete(entry.path);
      if (entry.path === "/" && twin === undefined) continue;
      if (!isDeepStrictEqual(entry, twin)) messages.push(`${JSON.stringify(entry)} but ${JSON.stringify(twin)}`);
    }
    for (const path of wanted.keys()) if (path !== "/") messages.push(`${path} is missing`);
    for (const text of messages.slice(0, SHOWN_DIFFERENCES)) this.#violations.push(`${name}, ${other}: ${text}`);
    return messages.length;
  }

  #treeFolder(name: TreeName): string {
    return join(this.#folder, `tree-${name}`);
  }

  async #tree(name: TreeName): Promise<TreeEntry[]> {
    const known = this.#trees.get(name);
    if (known !== undefined) return known;
    const folder = this.#treeFolder(name);
    await mkdir(folder, { recursive: true });
    const largeBytes = TEXT_BYTES;
    if (name === "unix") {
      await makeSampleTree(folder, { many: this.#many, devices: process.getuid?.() === 0 });
      await mkdir(join(folder, "text"));
      await writeFile(join(folder, "text", "prose.txt"), prose(1, TEXT_BYTES));
      await writeFile(join(folder, "text", "zeros.bin"), new Uint8Array(TEXT_BYTES));
    } else if (name === "windows") await makePortableTree(folder, { many: this.#many, largeBytes, rich: true });
    else await makePortableTree(folder, { many: Math.min(FEW, this.#many), largeBytes, rich: false });
    if (name !== "fat16") await writeFile(join(folder, "big.bin"), noise(99, BIG_BYTES));
    const entries = await walkFolder(folder);
    this.#trees.set(name, entries);
    return entries;
  }
}

type Comparable = Pick<TreeEntry, "path">;

function expectedOf({ leavesOut, adds }: ImageKind, tree: readonly TreeEntry[]): TreeEntry[] {
  const held = tree.filter((entry) => leavesOut?.(entry) !== true);
  return [...held, ...(adds?.(tree) ?? [])];
}

/** What every one of these file systems keeps. */
function content({ path, kind, sizeBytes, sha256, target }: TreeEntry): Comparable {
  return { path, kind, sizeBytes: kind === "symlink" ? undefined : sizeBytes, sha256, target } as Comparable;
}

function withoutAttributes({ attributes, ...entry }: TreeEntry): Comparable {
  return entry;
}
