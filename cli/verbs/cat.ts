import { readFile, requireFile } from "../../core/index.js";
import type { Context } from "../context.js";
import { FILES_OPERAND, type FilePlace, parseFilePlace } from "../given/filePlace.js";
import { type Given, usageError } from "../given/given.js";
import { openTrees, resolvePlace } from "../openTree.js";
import type { Answer, Verb } from "../verb.js";

export const catVerb: Verb = {
  name: "cat",
  summary: "write files inside a snapshot to standard output",
  operands: [FILES_OPERAND],
  options: [],
  examples: [
    { command: "reprise cat vm/web1@latest:/etc/nginx/nginx.conf", meaning: "one file, as it was" },
    { command: "reprise cat vm/db1~7:/var/lib/dump.sql.gz | gunzip", meaning: "from seven backups before the latest" },
  ],
  run: runCat,
};

async function runCat(context: Context, given: Given): Promise<Answer> {
  if (context.settings.json)
    throw usageError("cat writes the file itself to standard output, so --json has no place there", "use ls --json");
  const places = given.operands.map(parseFilePlace);
  const trees = await openTrees(
    context,
    places.map(({ snapshot }) => snapshot),
  );
  for (const [index, { tree }] of trees.entries()) {
    const file = requireFile(await resolvePlace(context, tree, places[index] as FilePlace));
    for await (const piece of readFile(file, context.options)) await context.writeData(piece);
  }
  return { document: null, lines: [], outputTaken: true };
}
