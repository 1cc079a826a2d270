// What must never be seen: values of the environment that are secrets by their names, and whatever else turns out to be one. The
// runner is told to mask them, and we replace them ourselves in everything that leaves this process.

/** Ours and those of the tools that read them; and whatever the owner of a workflow calls a secret. */
const SECRET_VARIABLE =
  /(^|_)(PASSPHRASE|PASSWORD|PASSWD|SECRET|SECRETS|TOKEN|CREDENTIALS?|(RECOVERY|KEEPER|SIGNING|PRIVATE|ACCESS|API|SSH)_KEY)($|_)/i;
/** Not secret: who, where, and paths of files. */
const NO_SECRET = /(_FILE|_FILES|_PATH|_URL|_URI|_KEY_ID)$|^(GITHUB_(?!TOKEN$)|RUNNER_|npm_)/i;
/** Shorter ones would turn half of every text into stars; the runner masks them all the same. */
const SHORTEST_REPLACED = 6;
/** Of variables that we only guess to be secrets. */
const SHORTEST_GUESSED = 4;
const STARS = "***";

export function secretsOf(env: Readonly<Record<string, string | undefined>>): string[] {
  const found = Object.entries(env).filter(
    ([name, value]) => isSecretVariable(name) && isWorthHiding(name, value ?? ""),
  );
  return found.map(([, value]) => value ?? "");
}

function isSecretVariable(name: string): boolean {
  return SECRET_VARIABLE.test(name) && !NO_SECRET.test(name) && !name.startsWith("INPUT_");
}

/** Not `USE_TOKEN=true`: a mask over `true` would make the log unreadable. What we read ourselves is hidden whatever it is. */
function isWorthHiding(name: string, value: string): boolean {
  if (/^(REPRISE|AWS)_/.test(name)) return value.trim() !== "";
  return value.trim().length >= SHORTEST_GUESSED && !/^(true|false|none|null|\d+)$/i.test(value.trim());
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
