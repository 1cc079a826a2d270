import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { checkNewFile, exportEvidence, RepriseError, resolveSnapshot, writeNewFile } from "../../core/index.js";
import type { Context } from "../context.js";
import type { Given } from "../given/given.js";
import { SNAPSHOT_OPERAND } from "../given/snapshotOperands.js";
import { styled } from "../output/text.js";
import { countText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

const STANDARD_FOLDER = "evidence";

export const evidenceExportVerb: Verb = {
  name: "export",
  summary: "write the records and signed statements of a snapshot's restore tests into a folder",
  details: [
    "Beside the records and envelopes the folder gets the manifest, the file that all statements speak of. Whoever has the folder and the public key needs no repository to check it.",
  ],
  operands: [SNAPSHOT_OPERAND],
  options: [
    {
      flags: "--out <folder>",
      description: "made when it is not there",
      standard: STANDARD_FOLDER,
      completes: "folder",
    },
    { flags: "--force", description: "replace files that are there" },
  ],
  examples: [{ command: "reprise evidence export vm/web1@latest --out evidence", meaning: "for an auditor" }],
  run: runEvidenceExport,
};

async function runEvidenceExport(context: Context, given: Given): Promise<Answer> {
  const folder = given.text("out") ?? STANDARD_FOLDER;
  const force = given.flag("force");
  const { repository, catalog } = await context.openCatalog();
  const snapshot = resolveSnapshot(given.operand(0), catalog);
  const { tests, files } = await exportEvidence(repository, snapshot, catalog, context.options);
  await makeFolder(folder);
  for (const { name } of files) await checkNewFile(join(folder, name), force);
  for (const { name, bytes } of files) {
    context.signal.throwIfAborted();
    await writeNewFile(join(folder, name), bytes, force);
  }
  const document = {
    ...snapshotReference(snapshot),
    digest: snapshot.digest,
    folder,
    files: files.map(({ name }) => name),
    tests: tests.map(({ record, digest, envelopes }) => ({
      recordId: record.recordId,
      recordDigest: digest,
      outcome: record.result.outcome,
      provenLevel: record.result.provenLevel,
      finishedAt: record.times.finishedAt,
      manifestDigest: record.backup.manifestDigest,
      envelopes: envelopes.length,
    })),
  };
  const names = files.map(({ name }) => join(folder, name));
  return { document, lines: names, summary: [summaryOf(tests)] };
}

function summaryOf(tests: readonly { envelopes: readonly string[] }[]) {
  if (tests.length === 0) return styled("yellow", "this snapshot has not been tested: there is only its manifest");
  const signed = tests.filter(({ envelopes }) => envelopes.length > 0).length;
  return `${countText(tests.length, "restore test")}, ${signed} of them signed`;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw new RepriseError("source", "TARGET_WRITE_FAILED", `the folder ${folder} cannot be made (${reason})`, {
      data: { path: folder, errno: reason },
      cause,
    });
  }
}
