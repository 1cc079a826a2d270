import { resolveSnapshot, writeRecord } from "../../core/index.js";
import type { Context } from "../context.js";
import { type Given, usageError } from "../given/given.js";
import { checkTags } from "../given/labels.js";
import { SNAPSHOT_OPERAND } from "../given/snapshotOperands.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

export const tagVerb: Verb = {
  name: "tag",
  summary: "print or change the tags of a snapshot",
  operands: [SNAPSHOT_OPERAND],
  options: [
    { flags: "--add <tag>", description: "add a tag", many: true, completes: "nothing" },
    { flags: "--remove <tag>", description: "take a tag away", many: true, completes: "nothing" },
    {
      flags: "--set <tag>",
      description: "these tags and no others; --set '' for none",
      many: true,
      completes: "nothing",
    },
  ],
  examples: [
    { command: "reprise tag vm/web1@latest --add golden --remove daily", meaning: "change" },
    { command: "reprise tag vm/web1@latest", meaning: "print" },
  ],
  run: runTag,
};

async function runTag(context: Context, given: Given): Promise<Answer> {
  const change = readChange(given);
  const { repository, catalog } = await context.openCatalog();
  const snapshot = resolveSnapshot(given.operand(0), catalog);
  const tags = change === undefined ? [...snapshot.tags] : checkTags(change(snapshot.tags), "--add");
  const changed = tags.join("\n") !== snapshot.tags.join("\n");
  if (changed)
    await writeRecord(repository, { type: "tags", data: { tags } }, [snapshot.sid], catalog.records, context.options);
  const document = { ...snapshotReference(snapshot), tags, changed };
  if (change === undefined) return { document, lines: tags };
  return { document, lines: [], summary: [tags.length === 0 ? "no tags" : `tags: ${tags.join(", ")}`] };
}

/** Undefined: only print. */
function readChange(given: Given): ((present: readonly string[]) => string[]) | undefined {
  const add = checkTags(given.texts("add"), "--add");
  const remove = new Set(given.texts("remove"));
  if (given.has("set")) {
    if (add.length > 0 || remove.size > 0)
      throw usageError("--set replaces all tags and goes with neither --add nor --remove");
    const set = checkTags(
      given.texts("set").filter((tag) => tag !== ""),
      "--set",
    );
    return () => set;
  }
  if (add.length === 0 && remove.size === 0) return undefined;
  return (present) => [...present, ...add].filter((tag) => !remove.has(tag));
}
