import { SigningKey, type VerificationKey } from "../../core/index.js";
import type { Context } from "../context.js";
import { type Given, usageError } from "../given/given.js";
import type { Line } from "../output/text.js";
import { NewSecretFile } from "../secret/newSecretFile.js";
import { requireSigningKey, SIGNING_KEY_OPTION } from "../secret/signingKeySource.js";
import type { Answer, Verb } from "../verb.js";

const ACTIONS = ["generate", "public"];
const STANDARD_FILE = "signing-key.pem";

export const keySigningVerb: Verb = {
  name: "signing",
  summary: "make a key that signs the evidence of restore tests, or print its public half",
  details: [
    "The private key goes into a new file and is printed nowhere. The public one is for whoever checks evidence: reprise evidence verify, a gate, openssl, cosign. No repository is needed.",
  ],
  operands: [{ name: "<action>", description: ACTIONS.join(" or "), choices: ACTIONS }],
  options: [
    {
      flags: "--out <file>",
      description: "generate: the new file for the private key",
      standard: STANDARD_FILE,
      completes: "file",
    },
    SIGNING_KEY_OPTION,
  ],
  examples: [
    {
      command: "reprise key signing generate --out signing-key.pem >signing-key.pub",
      meaning: "the secret in a file of yours, the public key beside it",
    },
    { command: "reprise key signing public --signing-key signing-key.pem", meaning: "the public key again" },
  ],
  run: runKeySigning,
};

async function runKeySigning(context: Context, given: Given): Promise<Answer> {
  const action = given.operand(0);
  if (action === "generate") return await generate(context, given);
  if (action !== "public") throw usageError(`key signing ${action}: no such action`, `use ${ACTIONS.join(" or ")}`);
  if (given.has("out")) throw usageError("--out is for key signing generate");
  const { verificationKey } = await requireSigningKey(given, context.io);
  return { document: publicDocument(verificationKey), lines: pemLines(verificationKey) };
}

async function generate(context: Context, given: Given): Promise<Answer> {
  if (given.has("signingKey"))
    throw usageError("--signing-key is for key signing public", "name the new file with --out");
  const file = await NewSecretFile.create(given.text("out") ?? STANDARD_FILE, "the signing key", "SIGNING_KEY_FILE");
  try {
    const key = SigningKey.generate();
    await file.write(key.toPem());
    const { verificationKey } = key;
    // not a summary: standard output is the public key and nothing else
    context.note(`the private key is in ${file.path}: only what runs restore tests may see it`);
    return {
      document: { ...publicDocument(verificationKey), privateKeyFile: file.path },
      lines: pemLines(verificationKey),
    };
  } catch (error) {
    await file.discard();
    throw error;
  } finally {
    await file.close();
  }
}

function publicDocument(key: VerificationKey): { keyId: string; publicKey: string } {
  return { keyId: key.keyId, publicKey: key.toPem() };
}

function pemLines(key: VerificationKey): Line[] {
  return key.toPem().trimEnd().split("\n");
}
