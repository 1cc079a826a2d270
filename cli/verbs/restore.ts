import { stat } from "node:fs/promises";
import {
  loadPresenceForReading,
  makeFolder,
  type Repository,
  type RestoredItem,
  refuseTargetInside,
  resolveSnapshot,
  restoreDisks,
  restoreFile,
  restoreStream,
  type Snapshot,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { namesFile } from "../given/filePlace.js";
import { type Given, optionName, usageError } from "../given/given.js";
import { machineOf } from "../output/snapshotText.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText, elapsedText } from "../output/units.js";
import { chooseForStream, planRestore } from "../restorePlan.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";
import { restoreFilesTo } from "./restoreFiles.js";

const FORMATS = ["raw", "qcow2"] as const;
const FOLDER_HINT =
  "several disks are restored into a folder: give --to the name of one, or choose one disk with --disk";

export const restoreVerb: Verb = {
  name: "restore",
  summary: "write the disks of a snapshot back, or files out of them",
  details: [
    "One disk goes to the file or block device that --to names. Several go into a folder, NAME.raw for each disk, with the configuration files beside them; a name that ends with / and an existing folder work for one disk, too.",
    "With a path behind the snapshot, files come back instead: SNAPSHOT:/path below the folder that --to names, with modes, owners (as root), times, extended attributes, holes and links. What cannot be restored is named, and the exit code is 3.",
    "Nothing appears under its final name before every chunk of it was checked. An interrupted restore goes on where it stopped when the same command is given again.",
  ],
  operands: [
    {
      name: "<snapshot[:/path]>",
      description: "the snapshot, as in vm/web1@latest; with a path, files of it, as in vm/web1@latest:/etc",
      completes: "place",
    },
  ],
  options: [
    {
      flags: "--to <path>",
      description: "a file, a folder, a block device, or - for standard output",
      required: true,
      completes: "file",
    },
    { flags: "--disk <name>", description: "only this disk or configuration file", many: true, completes: "nothing" },
    {
      flags: "--format <format>",
      description: "format of the files written",
      choices: FORMATS,
      standard: "by the name of the file, else raw",
    },
    { flags: "--force", description: "replace existing files; overwrite a block device" },
    { flags: "--keep-existing", description: "files: leave what is there already, and restore the rest" },
    { flags: "--no-owner", description: "files: they belong to whoever restores them" },
    { flags: "--devices", description: "files: make devices and pipes, too (root)" },
    { flags: "--dry-run", description: "files: write nothing, say what would be" },
    { flags: "--verify", description: "read everything again after writing and compare" },
    { flags: "--skip-damaged", description: "leave zeros where chunks are lost, and say where" },
    { flags: "--no-resume", description: "begin from nothing, and leave nothing behind when interrupted" },
  ],
  examples: [
    {
      command: "reprise restore vm/web1@latest --to web1.raw",
      meaning: "the newest state of one disk, as a sparse file",
    },
    {
      command: "reprise restore vm/web1~1 --to /srv/restored/ --format qcow2",
      meaning: "all disks of the snapshot before",
    },
    { command: "reprise restore 3f2a9c01 --disk root --to /dev/vg0/root --force", meaning: "onto a volume" },
    { command: "reprise restore vm/web1@latest:/etc/nginx --to /tmp/yesterday", meaning: "a folder, as it was" },
    { command: "reprise restore vm/web1@latest --disk root --to - | gzip > root.gz", meaning: "as a stream" },
  ],
  run: runRestoreVerb,
};

async function runRestoreVerb(context: Context, given: Given): Promise<Answer> {
  const to = given.text("to") ?? "";
  if (to === "") throw usageError("--to is empty", "give a file, a folder, a block device, or -");
  if (namesFile(given.operand(0))) return await restoreFilesTo(context, given, to);
  for (const option of ["keepExisting", "devices", "dryRun"]) {
    if (given.flag(option)) throw usageError(`${optionName(option)} is for files`, "name them, as in SNAPSHOT:/path");
  }
  if (given.has("owner") && !given.flag("owner")) throw usageError("--no-owner is for files");
  if (to === "-") return await restoreToOutput(context, given);
  const started = performance.now();
  const format = formatOf(given, to);
  const toIsFolder = await isFolder(to);
  context.warmUp();
  const { repository, catalog } = await context.openCatalog();
  const snapshot = resolveSnapshot(given.operand(0), catalog);
  await refuseTargetInside(repository.backend, to);
  const plan = planRestore(snapshot.manifest.archives, { names: given.texts("disk"), to, toIsFolder, format });
  const verify = given.flag("verify");
  if (plan.folder !== null) await makeFolder(plan.folder, FOLDER_HINT);
  const restored = await restoreDisks(repository, snapshot, plan.items, {
    ...context.options,
    onKept: (text) => context.note(text),
    format,
    verify,
    force: given.flag("force"),
    skipDamaged: given.flag("skipDamaged"),
    resume: given.flag("resume"),
  });
  const durationMs = Math.round(performance.now() - started);
  const names = plan.leftOut.map(({ name }) => name);
  const items = restored.map((item) => ({ ...item, format: item.kind === "image" ? format : "file" }));
  return {
    document: { ...snapshotReference(snapshot), restored: items, verified: verify, leftOut: names, durationMs },
    lines: [],
    summary: restoredLines(snapshot, restored, { durationMs, leftOut: names, verified: verify }),
  };
}

function formatOf(given: Given, to: string): "raw" | "qcow2" {
  const format = given.text("format");
  if (format !== undefined) return format === "qcow2" ? "qcow2" : "raw";
  return to.toLowerCase().endsWith(".qcow2") ? "qcow2" : "raw";
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() === true;
}

async function restoreToOutput(context: Context, given: Given): Promise<Answer> {
  for (const option of ["verify", "skipDamaged", "force"]) {
    if (given.flag(option))
      throw usageError(`--to - and --${option === "skipDamaged" ? "skip-damaged" : option} do not go together`);
  }
  if (context.settings.json)
    throw usageError("--to - writes the disk to standard output, so --json has no place there");
  if (given.text("format") === "qcow2") throw usageError("a stream is raw: qcow2 needs a file");
  if (context.io.stdout.isTTY) throw usageError("standard output is a terminal, not a place for a disk", "redirect it");
  context.warmUp();
  const { repository, catalog } = await context.openCatalog();
  const snapshot = resolveSnapshot(given.operand(0), catalog);
  const written = await streamArchive(context, repository, snapshot, given.texts("disk"));
  return { document: null, lines: [], summary: [`wrote ${bytesText(written)}`], outputTaken: true };
}

async function streamArchive(
  context: Context,
  repository: Repository,
  snapshot: Snapshot,
  names: readonly string[],
): Promise<number> {
  const archive = chooseForStream(snapshot.manifest.archives, names);
  const presence = await loadPresenceForReading(repository, context.options);
  if (archive.kind === "file") {
    await context.writeData(await restoreFile(repository, presence, archive, context.options));
    return archive.sizeBytes;
  }
  for await (const bytes of restoreStream(repository, presence, archive, context.options))
    await context.writeData(bytes);
  return archive.sizeBytes;
}

function restoredLines(
  snapshot: Snapshot,
  restored: readonly RestoredItem[],
  { durationMs, leftOut, verified }: { durationMs: number; leftOut: readonly string[]; verified: boolean },
): Line[] {
  const lines: Line[] = [["restored ", styled("bold", machineOf(snapshot)), ` as of ${snapshot.manifest.time}`]];
  for (const { name, path, sizeBytes, bytesWritten, bytesKept, lost } of restored) {
    const kept = bytesKept > 0 ? `, ${bytesText(bytesKept)} were there already` : "";
    lines.push([
      "  ",
      name,
      " → ",
      styled("bold", path),
      `  ${bytesText(sizeBytes)}, ${bytesText(bytesWritten)} written${kept}`,
    ]);
    if (lost.length > 0) lines.push(styled("red", `    ${countText(lost.length, "range")} lost, read as zeros`));
  }
  if (leftOut.length > 0)
    lines.push(
      `  left out: ${leftOut.join(", ")} (give --to a folder to get configuration files as well, and SNAPSHOT:/path to get folders)`,
    );
  return [...lines, `in ${elapsedText(durationMs)}, every chunk checked${verified ? ", and read back" : ""}`];
}
