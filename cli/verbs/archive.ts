// `tar` and `zip`: a folder of a snapshot as a stream.

import type { FileHandle } from "node:fs/promises";
import { checkNewFile, makeNewFile, refuseTargetInside, tarFolder, zipFolder } from "../../core/index.js";
import type { Context } from "../context.js";
import { FILE_OPERAND, parseFilePlace } from "../given/filePlace.js";
import { type Given, usageError } from "../given/given.js";
import { openTree, resolvePlace } from "../openTree.js";
import { bytesText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

type MakeArchive = typeof tarFolder;

export const tarVerb: Verb = {
  name: "tar",
  summary: "write a folder of a snapshot as a tar archive",
  details: [
    "With modes, owners, times, extended attributes, links and devices. Holes are written out. What cannot be read is named, and the exit code is 3.",
  ],
  ...line("tar", "as a stream, extracted by another machine", "| ssh web2 tar -x -C /restore"),
  run: async (context, given) => await writeArchive(context, given, tarFolder),
};

export const zipVerb: Verb = {
  name: "zip",
  summary: "write a folder of a snapshot as a zip archive",
  details: [
    "With modes, times and links; owners, extended attributes, hard links and devices have no place in zip. Odd characters of names are written %NN.",
  ],
  ...line("zip", "for somebody without tar", "> etc.zip"),
  run: async (context, given) => await writeArchive(context, given, zipFolder),
};

function line(name: string, meaning: string, rest: string): Pick<Verb, "operands" | "options" | "examples"> {
  return {
    operands: [FILE_OPERAND],
    options: [
      { flags: "--to <file>", description: "the archive; - for standard output", standard: "-", completes: "file" },
      { flags: "--force", description: "replace an existing file" },
    ],
    examples: [
      { command: `reprise ${name} vm/web1@latest:/etc ${rest}`, meaning },
      { command: `reprise ${name} vm/web1@latest:/home/ada --to ada.${name}`, meaning: "into a new file" },
    ],
  };
}

async function writeArchive(context: Context, given: Given, make: MakeArchive): Promise<Answer> {
  const to = given.text("to") ?? "-";
  if (to === "") throw usageError("--to is empty", "give a file or -");
  const toOutput = to === "-";
  if (toOutput && context.settings.json)
    throw usageError("the archive itself goes to standard output, so --json has no place there", "give --to FILE");
  if (toOutput && given.flag("force")) throw usageError("--force is for --to FILE");
  if (toOutput && context.io.stdout.isTTY)
    throw usageError("standard output is a terminal, not a place for an archive", "redirect it, or give --to FILE");
  const place = parseFilePlace(given.operand(0));
  const opened = await context.openCatalog();
  if (!toOutput) await refuseTargetInside(opened.repository.backend, to);
  const { snapshot, tree } = await openTree(context, place.snapshot, opened);
  const source = await resolvePlace(context, tree, place);
  let skipped = 0;
  const pieces = make(tree, source, place.path.at(-1) ?? null, {
    ...context.options,
    onSkipped: (file) => {
      skipped++;
      const message = `${file.path} is not in the archive: ${file.reason}`;
      context.onWarning({ code: "FILE_NOT_RESTORED", message, data: { ...file } });
    },
  });
  let written = 0;
  const count = async (write: (bytes: Uint8Array) => Promise<unknown>) => {
    for await (const piece of pieces) {
      context.signal.throwIfAborted();
      await write(piece);
      written += piece.length;
    }
  };
  if (toOutput) await count((bytes) => context.writeData(bytes));
  else {
    const force = given.flag("force");
    await checkNewFile(to, force);
    await makeNewFile(to, force, (handle) => count((bytes) => writeAll(handle, bytes)));
  }
  return {
    document: toOutput ? null : { ...snapshotReference(snapshot), to, sizeBytes: written, skipped },
    lines: [],
    summary: [`wrote ${bytesText(written)}${toOutput ? "" : ` to ${to}`}`],
    ...(toOutput ? { outputTaken: true as const } : {}),
  };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}
