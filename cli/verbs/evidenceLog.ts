import { type EvidenceLog, type EvidenceLogLine, readEvidenceLog } from "../../core/index.js";
import type { Context } from "../context.js";
import { readTrustedKeys } from "../evidenceFiles.js";
import type { Given } from "../given/given.js";
import { tableLines } from "../output/table.js";
import { type Line, styled } from "../output/text.js";
import { countText, localTimeText } from "../output/units.js";
import type { Answer, Verb } from "../verb.js";
import { EVIDENCE_PLACE_OPTIONS, openEvidencePlace, SHOWN_KEY_DIGITS } from "./evidenceOptions.js";

const SHOWN_ABOUT = 3;

export const evidenceLogVerb: Verb = {
  name: "log",
  summary: "list what was published on the evidence branch, and check that nothing was changed since",
  details: [
    "Exit code 0: everything is as it was published. 1: a file was changed, is missing or does not belong there, no trusted key has signed the newest entry, or the history was rewritten. 2: could not be checked (no such branch, the remote cannot be reached).",
    "The newest entry must be signed by one of the keys; it covers all before it, also those by keys that are not trusted any more.",
  ],
  operands: [],
  options: [
    {
      flags: "--key <file>",
      description: "a public key that is trusted; given several times: any of them",
      many: true,
      required: true,
      completes: "file",
    },
    ...EVIDENCE_PLACE_OPTIONS,
    { flags: "--statements", description: "list the statements that are there with their digests, for publish --drop" },
    { flags: "-n, --last <count>", description: "show only the newest entries", completes: "nothing" },
  ],
  examples: [{ command: "reprise evidence log --key ci.pub", meaning: "in a clone of the git repository" }],
  run: runEvidenceLog,
};

async function runEvidenceLog(context: Context, given: Given): Promise<Answer> {
  const { signal } = context;
  const last = given.integer("last", 1) ?? Number.POSITIVE_INFINITY;
  const keys = await readTrustedKeys(given.texts("key"), signal);
  const place = await openEvidencePlace(given, signal);
  const log = await readEvidenceLog(place, keys, { signal });
  const entries = last < log.entries.length ? log.entries.slice(-last) : log.entries;
  return {
    document: { branch: place.branch, ...log, entries },
    lines: [
      ...(entries.length === 0 ? [] : given.flag("statements") ? statementTable(entries) : entryTable(entries)),
      ...log.problems.map((problem): Line => styled("red", problem)),
    ],
    summary: [summaryOf(log)],
    ...(log.state === "sound" ? {} : { failed: true }),
  };
}

function entryTable(entries: readonly EvidenceLogLine[]): Line[] {
  const columns = [
    { title: "ENTRY", align: "right" as const },
    { title: "PUBLISHED" },
    { title: "SIGNED BY" },
    { title: "BY" },
    { title: "ADDED", align: "right" as const },
    { title: "DROPPED", align: "right" as const },
    { title: "ABOUT" },
  ];
  const rows = entries.map((entry): Line[] => [
    String(entry.sequence),
    localTimeText(Date.parse(entry.publishedAt)),
    entry.signedBy.map((id) => id.slice(0, SHOWN_KEY_DIGITS)).join(", ") || styled("dim", "no given key"),
    entry.by,
    String(entry.added),
    String(entry.dropped),
    aboutText(entry.about),
  ]);
  return tableLines(columns, rows);
}

function statementTable(entries: readonly EvidenceLogLine[]): Line[] {
  const columns = [{ title: "ENTRY", align: "right" as const }, { title: "STATEMENT" }, { title: "ABOUT" }];
  const rows = entries.flatMap(({ sequence, statements }) =>
    statements.map(({ digest, about }): Line[] => [String(sequence), digest, about]),
  );
  return tableLines(columns, rows);
}

function aboutText(about: readonly string[]): string {
  const shown = about.slice(0, SHOWN_ABOUT).join(", ");
  return about.length > SHOWN_ABOUT ? `${shown} and ${about.length - SHOWN_ABOUT} more` : shown;
}

function summaryOf({ state, entries, statements, problems }: EvidenceLog): Line {
  const amount = countText(entries.length, "publication");
  if (state === "sound") return `sound: ${amount}, ${countText(statements, "statement")}`;
  return styled("red", `${state.toUpperCase()}: ${amount}, ${countText(problems.length, "problem")}`);
}
