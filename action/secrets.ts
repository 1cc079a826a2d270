// What must never be seen: values of the environment that are secrets by their names, and whatever else turns out to be one. The
// runner is told to mask them, and we replace them ourselves in everything that leaves this process.

/** Ours and those of the tools that read them; and whatever the owner of a workflow calls a secret. */
const SECRET_VARIABLE =
  /(^|_)(PASSPHRASE|PASSWORD|PASSWD|SECRET|SECRETS|TOKEN|CREDENTIALS?|(RECOVERY|KEEPER|SIGNING|PRIVATE|ACCESS|API|SSH)_KEY)($|_)/i;
/** Not secret: who, where, and paths of files. */
const NO_SECRET = /(_FILE|_FILES|_PATH|_URL|_URI|_KEY_ID)$|^(GITHUB_(?!TOKEN$)|RUNNER_|npm_)/i;
/** Shorter ones would turn half of every text into stars; the runner masks them all the same. */
const SHORTEST_REPLACED = 6;
const STARS = "***";

export function secretsOf(env: Readonly<Record<string, string | undefined>>): string[] {
  const found = Object.entries(env)
    .filter(([name]) => isSecretVariable(name))
    .map(([, value]) => value ?? "");
  return found.filter((value) => value.trim() !== "");
}

function isSecretVariable(name: string): boolean {
  return SECRET_VARIABLE.test(name) && !NO_SECRET.test(name) && !name.startsWith("INPUT_");
}

/** Knows the secrets of this run. */
export class SecretKeeper {
  readonly #values = new Set<string>();

  /** Every line of it counts by itself: a key in PEM is printed line by line. Returns what the runner has to mask. */
  add(secret: string): string[] {
    const parts = [secret, ...secret.split(/\r?\n/)].map((part) => part.trim());
    const fresh = parts.filter((part) => part !== "" && !/^-----[A-Z ]+-----$/.test(part) && !this.#values.has(part));
    for (const part of fresh) this.#values.add(part);
    return [...new Set(fresh)];
  }

  /** The text without any of them, also where they stand encoded for a URL, in JSON or in base64. */
  redact(text: string): string {
    let clean = text;
    for (const value of this.#values) {
      if (value.length < SHORTEST_REPLACED) continue;
      for (const form of formsOf(value)) clean = clean.replaceAll(form, STARS);
    }
    return clean;
  }
}

function formsOf(value: string): Set<string> {
  const json = JSON.stringify(value).slice(1, -1);
  return new Set([value, json, encodeURIComponent(value), Buffer.from(value).toString("base64")]);
}
