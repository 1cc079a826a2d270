import { writeRecord } from "../../core/index.js";
import { type Context, resolveSnapshots } from "../context.js";
import type { Given } from "../given/given.js";
import { SNAPSHOTS_OPERAND } from "../given/snapshotOperands.js";
import { idDigits, snapshotSpans } from "../output/snapshotText.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

export const protectVerb: Verb = {
  name: "protect",
  summary: "keep snapshots from being forgotten or pruned",
  operands: [SNAPSHOTS_OPERAND],
  options: [],
  examples: [{ command: "reprise protect vm/web1@latest", meaning: "until unprotect" }],
  run: (context, given) => setProtection(context, given, true),
};

export const unprotectVerb: Verb = {
  name: "unprotect",
  summary: "let snapshots be forgotten and pruned again",
  operands: [SNAPSHOTS_OPERAND],
  options: [],
  examples: [{ command: "reprise unprotect 3f2a9c01", meaning: "by id" }],
  run: (context, given) => setProtection(context, given, false),
};

async function setProtection(context: Context, given: Given, wanted: boolean): Promise<Answer> {
  const { repository, catalog } = await context.openCatalog();
  const snapshots = resolveSnapshots(given.operands, catalog);
  const toChange = new Set(snapshots.filter((snapshot) => snapshot.protected !== wanted));
  if (toChange.size > 0) {
    const body = { type: "protection", data: { protected: wanted } } as const;
    await writeRecord(
      repository,
      body,
      [...toChange].map(({ sid }) => sid),
      catalog.records,
      context.options,
    );
  }
  const digits = idDigits(catalog.snapshots.map(({ sid }) => sid));
  const word = wanted ? "protected" : "not protected";
  return {
    document: {
      protected: wanted,
      snapshots: snapshots.map((snapshot) => ({ ...snapshotReference(snapshot), changed: toChange.has(snapshot) })),
    },
    lines: [],
    summary: snapshots.map((snapshot) => [
      ...snapshotSpans(snapshot, digits),
      toChange.has(snapshot) ? `  is ${word} now` : `  was ${word} already`,
    ]),
  };
}
