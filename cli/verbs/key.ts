import {
  addKeySlot,
  changePassphrase,
  formatRecoveryKey,
  type KeySlotSummary,
  keeperFingerprint,
  listKeySlots,
  RepriseError,
  removeKeySlot,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { type Given, usageError } from "../given/given.js";
import type { OptionSpec } from "../lineSpec.js";
import { recoveryKeyLines } from "../output/recoveryKeyText.js";
import { idDigits } from "../output/snapshotText.js";
import { tableLines } from "../output/table.js";
import type { Answer, Verb, VerbFamily } from "../verb.js";
import { keySigningVerb } from "./keySigning.js";

const RECOVERY_KEY_BYTES = 32;
const MAX_LABEL_CHARS = 200;

const NEW_PASSPHRASE: OptionSpec = {
  flags: "--new-passphrase-file <file>",
  description: "read the new passphrase from a file (or set REPRISE_NEW_PASSPHRASE)",
  completes: "file",
};
const LABEL: OptionSpec = { flags: "--label <text>", description: "whose or what for", completes: "nothing" };

const keyListVerb: Verb = {
  name: "list",
  summary: "list the key slots: each opens the repository",
  operands: [],
  options: [],
  examples: [{ command: "reprise key list", meaning: "who can open the repository" }],
  run: runKeyList,
};

const keyAddVerb: Verb = {
  name: "add",
  summary: "add a passphrase",
  operands: [],
  options: [LABEL, NEW_PASSPHRASE],
  examples: [{ command: 'reprise key add --label "backup host"', meaning: "asks for the new passphrase twice" }],
  run: runKeyAdd,
};

const keyRemoveVerb: Verb = {
  name: "remove",
  summary: "remove a key slot; never the last one",
  details: [
    "Whoever had the passphrase may have kept the repository's key itself: after a leak make a new repository and copy the data into it.",
  ],
  operands: [{ name: "<id>", description: "first digits of the slot's id", completes: "nothing" }],
  options: [{ flags: "--force", description: "also the only recovery key" }],
  examples: [{ command: "reprise key remove 41c9", meaning: "by the id that key list shows" }],
  run: runKeyRemove,
};

const keyChangeVerb: Verb = {
  name: "change",
  summary: "replace the passphrase that you give by a new one",
  operands: [],
  options: [NEW_PASSPHRASE],
  examples: [{ command: "reprise key change", meaning: "asks for the old one once and for the new one twice" }],
  run: runKeyChange,
};

const keyRecoveryVerb: Verb = {
  name: "recovery",
  summary: "make a new recovery key and print it; older ones stay valid",
  operands: [],
  options: [LABEL],
  examples: [{ command: "reprise key recovery --label safe", meaning: "then remove a lost one with key remove" }],
  run: runKeyRecovery,
};

const keyKeeperVerb: Verb = {
  name: "keeper",
  summary: "show who may forget and collect: the keeper's fingerprint",
  details: ["In a repository with one role everybody who can open it may. A keeper is chosen by init."],
  operands: [],
  options: [],
  examples: [{ command: "reprise key keeper", meaning: "the fingerprint for --trust-keeper" }],
  run: runKeyKeeper,
};

export const keyVerbs: VerbFamily = {
  name: "key",
  summary: "who can open the repository; keys that sign evidence",
  verbs: [keyListVerb, keyAddVerb, keyRemoveVerb, keyChangeVerb, keyRecoveryVerb, keyKeeperVerb, keySigningVerb],
};

async function runKeyList(context: Context): Promise<Answer> {
  const repository = await context.openRepository();
  const slots = await listKeySlots(repository, context.onWarning);
  const digits = idDigits(slots.map(({ slotId }) => slotId));
  const columns = [{ title: "ID" }, { title: "KIND" }, { title: "CREATED" }, { title: "LABEL" }];
  const rows = slots.map(({ slotId, type, createdAt, label }) => [slotId.slice(0, digits), type, createdAt, label]);
  return {
    document: slots,
    lines: slots.length === 0 ? [] : tableLines(columns, rows),
    summary: slots.length === 0 ? ["not encrypted: no keys"] : [],
  };
}

async function runKeyAdd(context: Context, given: Given): Promise<Answer> {
  const label = readLabel(given, "passphrase");
  const repository = await context.openRepository();
  requireEncryption(repository.keyring === null);
  const passphrase = await context.secrets.another(given.text("newPassphraseFile"));
  const slot = await addKeySlot(repository, { passphrase }, label);
  return { document: slot, lines: [], summary: [`added ${slotText(slot)}`] };
}

async function runKeyRemove(context: Context, given: Given): Promise<Answer> {
  const repository = await context.openRepository();
  const removed = await removeKeySlot(repository, given.operand(0), context.onWarning, {
    force: given.flag("force"),
  });
  return { document: { removed }, lines: [], summary: [`removed ${slotText(removed)}`] };
}

async function runKeyChange(context: Context, given: Given): Promise<Answer> {
  const repository = await context.openRepository();
  requireEncryption(repository.keyring === null);
  const old = context.usedSecret;
  if (old === undefined || !("passphrase" in old)) {
    throw usageError(
      "a recovery key is not changed",
      "set a new passphrase with key add, or make another recovery key with key recovery",
    );
  }
  const passphrase = await context.secrets.another(given.text("newPassphraseFile"));
  const { added, removed } = await changePassphrase(repository, old.passphrase, passphrase, {
    onWarning: context.onWarning,
  });
  return {
    document: { added, removed },
    lines: [],
    summary: [...removed.map((slot) => `removed ${slotText(slot)}`), `added ${slotText(added)}`],
  };
}

async function runKeyRecovery(context: Context, given: Given): Promise<Answer> {
  const label = readLabel(given, "recovery key");
  const repository = await context.openRepository();
  requireEncryption(repository.keyring === null);
  const bytes = context.environment.random(RECOVERY_KEY_BYTES);
  const slot = await addKeySlot(repository, { recoveryKey: bytes }, label);
  const recoveryKey = formatRecoveryKey(bytes);
  return {
    document: { ...slot, recoveryKey },
    lines: recoveryKeyLines(recoveryKey, { qrCode: context.io.stdout.isTTY === true }),
    summary: [`added ${slotText(slot)}`],
  };
}

async function runKeyKeeper(context: Context): Promise<Answer> {
  const { config, keeperKey } = await context.openRepository();
  const { keeper: publicKey } = config;
  const fingerprint = publicKey === null ? null : keeperFingerprint(publicKey);
  const lines = fingerprint === null ? [] : [fingerprint];
  const summary = fingerprint === null ? ["one role: whoever can open the repository may forget and collect"] : [];
  return { document: { fingerprint, publicKey, isKeeper: keeperKey !== null }, lines, summary };
}

function readLabel(given: Given, standard: string): string {
  const label = given.text("label") ?? standard;
  if (label.length <= MAX_LABEL_CHARS) return label;
  throw usageError(`--label has more than ${MAX_LABEL_CHARS} characters`);
}

/** Before a new passphrase is asked for. */
function requireEncryption(isPlain: boolean): void {
  if (!isPlain) return;
  throw new RepriseError(
    "usage",
    "REPOSITORY_NOT_ENCRYPTED",
    "this repository was made with --no-encryption and has no keys",
    {
      hint: "make a new repository with encryption and back up into it",
    },
  );
}

function slotText({ slotId, type, label }: KeySlotSummary): string {
  return `key slot ${slotId.slice(0, 8)} (${type}${label === "" ? "" : `, ${label}`})`;
}
