// Where the private key that signs evidence comes from: an option naming a file, or the environment. Never an argument that holds
// the key itself.

import { RepriseError, readSigningKeyFile, type SigningKey, signingKeyFromVariables } from "../../core/index.js";
import type { Given } from "../given/given.js";
import type { CliIo } from "../io.js";
import type { OptionSpec } from "../lineSpec.js";

type SecretIo = Pick<CliIo, "env" | "signal">;

/** For verbs that sign. */
export const SIGNING_KEY_OPTION: OptionSpec = {
  flags: "--signing-key <file>",
  description:
    "the key that signs evidence (or set REPRISE_SIGNING_KEY_FILE, or REPRISE_SIGNING_KEY to the key itself)",
  completes: "file",
};

/** --signing-key FILE, REPRISE_SIGNING_KEY (the PEM itself), REPRISE_SIGNING_KEY_FILE; undefined: none. SIGNING_KEY_INVALID. */
export async function readSigningKey(given: Given, io: SecretIo): Promise<SigningKey | undefined> {
  const { env, signal } = io;
  const file = given.text("signingKey");
  if (file !== undefined) return await readSigningKeyFile(file, signal);
  return await signingKeyFromVariables(env, signal);
}

/** SIGNING_KEY_MISSING, SIGNING_KEY_INVALID. */
export async function requireSigningKey(given: Given, io: SecretIo): Promise<SigningKey> {
  const key = await readSigningKey(given, io);
  if (key !== undefined) return key;
  throw new RepriseError("key", "SIGNING_KEY_MISSING", "no signing key was given", {
    hint: "give --signing-key FILE, or set REPRISE_SIGNING_KEY or REPRISE_SIGNING_KEY_FILE; key signing generate makes one",
  });
}
