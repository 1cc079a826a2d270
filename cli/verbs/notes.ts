import { resolveSnapshot, writeRecord } from "../../core/index.js";
import type { Context } from "../context.js";
import type { Given } from "../given/given.js";
import { checkNotes } from "../given/labels.js";
import { SNAPSHOT_OPERAND } from "../given/snapshotOperands.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

export const notesVerb: Verb = {
  name: "notes",
  summary: "print or replace the notes of a snapshot",
  operands: [SNAPSHOT_OPERAND, { name: "[text]", description: "the new notes; empty: none", completes: "nothing" }],
  options: [],
  examples: [
    { command: 'reprise notes vm/web1@latest "before the upgrade"', meaning: "replace" },
    { command: "reprise notes vm/web1@latest", meaning: "print" },
  ],
  run: runNotes,
};

async function runNotes(context: Context, given: Given): Promise<Answer> {
  const text = given.operands.length > 1 ? checkNotes(given.operand(1)) : undefined;
  const { repository, catalog } = await context.openCatalog();
  const snapshot = resolveSnapshot(given.operand(0), catalog);
  const changed = text !== undefined && text !== snapshot.notes;
  if (changed)
    await writeRecord(repository, { type: "notes", data: { text } }, [snapshot.sid], catalog.records, context.options);
  const notes = text ?? snapshot.notes;
  const document = { ...snapshotReference(snapshot), notes, changed };
  if (text !== undefined)
    return { document, lines: [], summary: [changed ? "notes replaced" : "the notes are the same already"] };
  return { document, lines: notes === "" ? [] : notes.split("\n") };
}
