import {
  type Catalog,
  isGroup,
  type MachineEvidence,
  type PublishReport,
  publishEvidence,
  qualifiedGroup,
  repositoryEvidence,
  resolveSnapshot,
  type SigningKey,
  splitNamespace,
  statementAbout,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { readEvidenceFiles, readTrustedKeys } from "../evidenceFiles.js";
import { parseAgeMs } from "../given/amounts.js";
import { type Given, wrongValue } from "../given/given.js";
import { type Line, styled } from "../output/text.js";
import { countText } from "../output/units.js";
import { requireSigningKey, SIGNING_KEY_OPTION } from "../secret/signingKeySource.js";
import type { Answer, Verb } from "../verb.js";
import { EVIDENCE_PLACE_OPTIONS, openEvidencePlace } from "./evidenceOptions.js";

const STANDARD_KEEP = "400d";
const FOR_EVER = "forever";

export const evidencePublishVerb: Verb = {
  name: "publish",
  summary: "publish signed statements on a git branch, for gates that see neither the repository nor a secret",
  details: [
    "For machines: an inventory of their snapshots as it is now, signed, and the newest restore test of each of these snapshots as it was signed when it was stored. Without an operand: for every machine of the repository. Files of envelopes are published as they are.",
    "One publication is one commit on the branch, with one signed entry in its log. The branch is checked before; one that somebody has changed is not built upon. Whoever publishes at the same time is followed. What is there already is not published again.",
  ],
  operands: [
    {
      name: "[what...]",
      description:
        "machines (vm/web1), snapshots for their machines (vm/web1@latest), or files of envelopes (./e.jsonl)",
      completes: "group",
    },
  ],
  options: [
    ...EVIDENCE_PLACE_OPTIONS,
    SIGNING_KEY_OPTION,
    {
      flags: "--key <file>",
      description: "the public key of somebody else who publishes there, too; given several times: of each",
      many: true,
      completes: "file",
    },
    {
      flags: "--keep <span>",
      description: `drop what was published longer ago, as in 90d; ${FOR_EVER}: nothing`,
      standard: STANDARD_KEEP,
      completes: "nothing",
    },
    {
      flags: "--drop <digest>",
      description: "take back the statement with this SHA-256, along with what is published",
      many: true,
      completes: "nothing",
    },
    { flags: "--author <name>", description: 'of the commit: "Name <mail@example.com>"', completes: "nothing" },
    { flags: "--dry-run", description: "say what would be published" },
  ],
  examples: [
    { command: "reprise evidence publish vm/web1", meaning: "after a backup or a restore test" },
    {
      command: "reprise evidence publish ./evidence.intoto.jsonl --remote https://git.example.com/shop.git",
      meaning: "",
    },
  ],
  run: runEvidencePublish,
};

async function runEvidencePublish(context: Context, given: Given): Promise<Answer> {
  const { signal, environment, io } = context;
  const wishes = readWishes(given);
  const key = await requireSigningKey(given, io);
  const trustedKeys = await readTrustedKeys(given.texts("key"), signal);
  const place = await openEvidencePlace(given, signal);
  const { envelopes, machines } = await gather(context, given.operands, key);
  const { name, version } = environment.tool;
  const by = `${environment.host} (${name} ${version})`;
  const request = { envelopes, signingKeys: [key], trustedKeys, by, ...wishes };
  const report = await publishEvidence(place, request, { signal, now: () => environment.now() });
  return {
    document: { branch: place.branch, ...report, machines: machines.map(({ envelopes: _, ...machine }) => machine) },
    lines: linesOf(report),
    summary: [summaryOf(report, place.branch)],
  };
}

function readWishes(given: Given) {
  const keep = given.text("keep") ?? STANDARD_KEEP;
  const drop = given.texts("drop");
  for (const digest of drop)
    if (!/^[0-9a-f]{64}$/.test(digest)) throw wrongValue("--drop", digest, "a SHA-256 in 64 hex digits");
  const author = given.parsed("author", parseAuthor);
  return {
    keepMs: keep === FOR_EVER ? null : parseAgeMs(keep, "--keep"),
    drop,
    dryRun: given.flag("dryRun"),
    ...(author === undefined ? {} : { author }),
  };
}

function parseAuthor(text: string, option: string): { name: string; email: string } {
  const [, name, email] = /^([^<>\p{Cc}]{1,200}) <([^<>\s\p{Cc}]{1,200})>$/u.exec(text) ?? [];
  if (name === undefined || email === undefined)
    throw wrongValue(option, text, 'of the form "Name <mail@example.com>"');
  return { name, email };
}

/** Without an operand: the whole repository. */
async function gather(
  context: Context,
  operands: readonly string[],
  key: SigningKey,
): Promise<{ envelopes: string[]; machines: MachineEvidence[] }> {
  const names = operands.filter(isMachineOrSnapshot);
  const files = operands.filter((operand) => !isMachineOrSnapshot(operand));
  const { texts } = await readEvidenceFiles(files, context.signal);
  if (operands.length > 0 && names.length === 0) return { envelopes: texts, machines: [] };
  const asOfMs = context.environment.now();
  const { repository, catalog } = await context.openCatalog({ fresh: true });
  const place = { id: repository.config.repositoryId, location: repository.shownLocation };
  const wanted = names.length === 0 ? null : names.map((name) => machineOf(name, catalog));
  const machines = repositoryEvidence(catalog, wanted, place, { asOfMs, keys: [key] });
  for (const machine of machines) warnAbout(context, machine);
  return { envelopes: [...machines.flatMap(({ envelopes }) => envelopes), ...texts], machines };
}

/** `vm/web1`, `prod:vm/web1@latest`; a file of such a name is `./vm/web1`. */
function isMachineOrSnapshot(operand: string): boolean {
  const [machine = ""] = operand.split(/[@~]/, 1);
  return isGroup(machine.slice(machine.indexOf(":") + 1));
}

function machineOf(name: string, catalog: Catalog): string {
  if (!/[@~]/.test(name)) {
    const { namespace, group } = splitNamespace(name);
    return qualifiedGroup(namespace, group);
  }
  const { manifest } = resolveSnapshot(name, catalog);
  return qualifiedGroup(manifest.namespace, manifest.group);
}

function warnAbout(context: Context, { machine, snapshots, unsignedTests }: MachineEvidence): void {
  if (snapshots === 0) {
    const message = `${machine} has no snapshots, and that is what is published`;
    context.onWarning({ code: "EVIDENCE_OF_NOTHING", message, data: { machine } });
  }
  if (unsignedTests > 0)
    context.note(`${countText(unsignedTests, "restore test")} of ${machine} without a signature: not published`);
}

function linesOf({ added, dropped }: PublishReport): Line[] {
  const gone = dropped.map((digest): Line => styled("dim", `- ${digest}`));
  return [
    ...added.map((statement): Line => ["+ ", statement.digest.slice(0, 16), "  ", statementAbout(statement)]),
    ...gone,
  ];
}

function summaryOf({ status, added, dropped, sequence, alreadyThere }: PublishReport, branch: string): string {
  if (status === "nothing-new") return `nothing new: ${countText(alreadyThere, "statement")} there already`;
  const what = `${countText(added.length, "statement")}${dropped.length > 0 ? `, ${dropped.length} dropped` : ""}`;
  return status === "published"
    ? `published ${what} on ${branch}, entry ${sequence}`
    : `would publish ${what} on ${branch}`;
}
