import { type ListedFile, listFiles } from "../../core/index.js";
import type { Context } from "../context.js";
import { fileDocument } from "../fileDocument.js";
import { FILE_OPERAND, parseFilePlace } from "../given/filePlace.js";
import type { Given } from "../given/given.js";
import { openTree, resolvePlace } from "../openTree.js";
import { fileName, longListing } from "../output/fileText.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

export const lsVerb: Verb = {
  name: "ls",
  summary: "list files inside the disks of a snapshot",
  details: [
    "The tree is /DISK/VOLUME/path: disks, their partitions and logical volumes, and the files on them. A path that does not start with a disk is looked for in every file system of the machine.",
    "Nothing but what is listed is read from the repository.",
  ],
  operands: [FILE_OPERAND],
  options: [
    { flags: "-l, --long", description: "mode, owner, size and time of each entry" },
    { flags: "-R, --recursive", description: "everything below, too" },
  ],
  examples: [
    { command: "reprise ls vm/web1@latest", meaning: "the disks" },
    { command: "reprise ls -l vm/web1@latest:/etc/nginx", meaning: "a folder, wherever it is" },
    { command: "reprise ls -lR 3f2a9c01:/root/p1/home --json", meaning: "with all details, for programs" },
  ],
  run: runLs,
};

async function runLs(context: Context, given: Given): Promise<Answer> {
  const place = parseFilePlace(given.operand(0));
  const recursive = given.flag("recursive");
  const { snapshot, tree } = await openTree(context, place.snapshot);
  const node = await resolvePlace(context, tree, place);
  const files: ListedFile[] = [];
  for await (const file of listFiles(tree, node, { ...context.options, recursive })) files.push(file);
  for (const { problem } of files) if (problem !== null) warnOf(context, problem);
  return {
    document: { ...snapshotReference(snapshot), files: files.map(fileDocument) },
    lines: given.flag("long") ? longListing(files, recursive) : files.map((file) => fileName(file, recursive)),
  };
}

function warnOf(context: Context, problem: NonNullable<ListedFile["problem"]>): void {
  context.onWarning({ code: problem.code, message: problem.message, data: problem.data });
}
