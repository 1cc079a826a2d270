import {
  type EvidenceReason,
  type EvidenceVerdict,
  resolveSnapshot,
  TEST_LEVELS,
  type TestLevel,
  verifyEvidence,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { type EnvelopePlace, readEvidenceFiles, readTrustedKeys } from "../evidenceFiles.js";
import { parseAgeMs } from "../given/amounts.js";
import { type Given, usageError, wrongValue } from "../given/given.js";
import { type Line, styled } from "../output/text.js";
import { elapsedText } from "../output/units.js";
import type { Answer, Verb } from "../verb.js";
import { SHOWN_KEY_DIGITS } from "./evidenceOptions.js";

export const evidenceVerifyVerb: Verb = {
  name: "verify",
  summary: "check whether signed statements prove that a snapshot can be restored",
  details: [
    "Exit code 0: proven. 1: not proven, with the reasons. 2: could not be checked (a file or key that cannot be read, no repository). The newest test of the snapshot decides. Whatever is missing, unknown or contradictory means: not proven.",
  ],
  operands: [{ name: "<file...>", description: "envelopes: one, or one a line (*.intoto.jsonl)", completes: "file" }],
  options: [
    {
      flags: "--key <file>",
      description: "a public key that is trusted; given several times: any of them",
      many: true,
      required: true,
      completes: "file",
    },
    {
      flags: "--threshold <count>",
      description: "how many of them must have signed",
      standard: "1",
      completes: "nothing",
    },
    {
      flags: "--snapshot <snapshot>",
      description: "the snapshot that must be proven; its manifest is read from the repository",
      completes: "snapshot",
    },
    {
      flags: "--digest <hex>",
      description: "instead: the SHA-256 of its manifest, without a repository",
      completes: "nothing",
    },
    {
      flags: "--require-level <level>",
      description: "at least this must be proven",
      choices: TEST_LEVELS,
    },
    { flags: "--require-check <id>", description: "this check must have passed", many: true, completes: "nothing" },
    {
      flags: "--max-age <span>",
      description: "the test ended at most so long ago, as in 30d or 1h30m (m: minutes)",
      completes: "nothing",
    },
    { flags: "--allow-warned", description: "a test that passed with warnings is enough" },
  ],
  examples: [
    {
      command: "reprise evidence verify evidence.intoto.jsonl --key ci.pub --snapshot vm/web1@latest --max-age 30d",
      meaning: "whether the newest snapshot is proven",
    },
    {
      command: "reprise evidence verify *.jsonl --key ci.pub --digest $(sha256sum <manifest.json | cut -c-64)",
      meaning: "for whoever has no access to the repository",
    },
  ],
  run: runEvidenceVerify,
};

async function runEvidenceVerify(context: Context, given: Given): Promise<Answer> {
  const { signal } = context;
  const demands = readDemands(given);
  const keys = await readTrustedKeys(given.texts("key"), signal);
  const { texts, places } = await readEvidenceFiles(given.operands, signal);
  const { subjectDigest, snapshotId } = await readSubject(context, given);
  const nowMs = context.environment.now();
  const verdict = verifyEvidence(texts, { keys, subjectDigest, nowMs, ...demands, allowedSpecDigests: null });
  const document = verdictDocument(verdict, places, { subjectDigest, snapshotId, nowMs });
  return {
    document,
    lines: verdictLines(verdict, places, nowMs),
    ...(verdict.decision === "rejected" ? { failed: true } : {}),
  };
}

function readDemands(given: Given) {
  return {
    threshold: given.integer("threshold", 1, 100) ?? 1,
    maxAgeMs: given.parsed("maxAge", parseAgeMs) ?? null,
    requiredLevel: (given.text("requireLevel") as TestLevel | undefined) ?? null,
    requiredChecks: given.texts("requireCheck"),
    allowWarned: given.flag("allowWarned"),
  };
}

/** Which snapshot the caller relies on is never taken from the evidence itself. */
async function readSubject(
  context: Context,
  given: Given,
): Promise<{ subjectDigest: string; snapshotId: string | null }> {
  const [name, digest] = [given.text("snapshot"), given.text("digest")];
  if ((name === undefined) === (digest === undefined))
    throw usageError("evidence verify needs one of --snapshot and --digest", "say which snapshot must be proven");
  if (digest !== undefined) {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw wrongValue("--digest", digest, "a SHA-256 in 64 hex digits");
    return { subjectDigest: digest, snapshotId: null };
  }
  const { catalog } = await context.openCatalog({ fresh: true });
  const snapshot = resolveSnapshot(name ?? "", catalog);
  return { subjectDigest: snapshot.digest, snapshotId: snapshot.sid };
}

function verdictDocument(
  { decision, reasons, ignored, record, recordDigest, signedBy }: EvidenceVerdict,
  places: readonly EnvelopePlace[],
  about: { subjectDigest: string; snapshotId: string | null; nowMs: number },
): Record<string, unknown> {
  const { subjectDigest, snapshotId, nowMs } = about;
  const placed = ({ code, message, envelope }: EvidenceReason) => {
    const { file = null, number = null } = (envelope === null ? undefined : places[envelope]) ?? {};
    return { code, message, file, envelope: number };
  };
  const test = record && {
    recordId: record.recordId,
    recordDigest,
    machine: record.asset.machine,
    outcome: record.result.outcome,
    provenLevel: record.result.provenLevel,
    finishedAt: record.times.finishedAt,
    ageSeconds: Math.floor((nowMs - Date.parse(record.times.finishedAt)) / 1000),
    signedBy,
  };
  return { decision, snapshotId, subjectDigest, reasons: reasons.map(placed), ignored: ignored.map(placed), test };
}

function verdictLines(verdict: EvidenceVerdict, places: readonly EnvelopePlace[], nowMs: number): Line[] {
  const { decision, reasons, ignored, record, signedBy } = verdict;
  const lines: Line[] = [
    decision === "accepted" ? styled("green", "accepted") : styled("red", "REJECTED"),
    ...reasons.map((reason) => reasonLine(reason, places)),
  ];
  if (record !== null) {
    const { finishedAt } = record.times;
    const ageMs = Math.max(0, nowMs - Date.parse(finishedAt));
    const { outcome, provenLevel } = record.result;
    const proven = provenLevel === null ? "proves nothing" : `proves: ${provenLevel}`;
    lines.push(
      `  test of ${record.asset.machine}, ${outcome}, ${proven}; ended ${finishedAt}, ${elapsedText(ageMs)} ago`,
    );
    lines.push(["  ", styled("dim", `signed by ${signedBy.map((id) => id.slice(0, SHOWN_KEY_DIGITS)).join(", ")}`)]);
  }
  if (decision === "rejected") {
    const shown = new Set(reasons);
    const others = ignored.filter((reason) => !shown.has(reason));
    lines.push(...others.map((reason): Line => [styled("dim", "  left out: "), ...reasonSpans(reason, places)]));
  }
  return lines;
}

function reasonLine(reason: EvidenceReason, places: readonly EnvelopePlace[]): Line {
  return ["  ", ...reasonSpans(reason, places)];
}

function reasonSpans({ code, message, envelope }: EvidenceReason, places: readonly EnvelopePlace[]) {
  const place = envelope === null ? undefined : places[envelope];
  const where = place === undefined ? "" : ` (${place.file}, envelope ${place.number})`;
  return [message, where, styled("dim", ` [${code}]`)];
}
