// Where the passphrase or recovery key comes from: an option naming a file, the environment, or a prompt. Never an
// argument, because every user of a machine can read those.

import {
  asGivenSecret,
  type GivenSecret,
  looksLikeRecoveryKey,
  passphraseFromVariables,
  RepriseError,
  readSecretFile,
} from "../../core/index.js";
import type { CliIo } from "../io.js";
import { promptHidden } from "./prompt.js";

export interface SecretSourceOptions {
  io: Pick<CliIo, "stdin" | "env">;
  signal: AbortSignal;
  /** --passphrase-file */
  passphraseFile: string | undefined;
  /** What the names of its variables begin with; default: `REPRISE_`. */
  variables?: string;
  /** Which option names its file, for hints; default: `--passphrase-file`. */
  fileOption?: string;
  /** Writes a question to the terminal. */
  write(text: string): void;
}

export class SecretSource {
  readonly #options: SecretSourceOptions;
  #used: GivenSecret | undefined;
  #prompted = false;
  #partner: SecretSource | undefined;

  constructor(options: SecretSourceOptions) {
    this.#options = options;
  }

  get used(): GivenSecret | undefined {
    return this.#used;
  }

  /** True when the last secret was typed, so that asking again makes sense. */
  get wasPrompted(): boolean {
    return this.#prompted;
  }

  forget(): void {
    this.#used = undefined;
  }

  /** For commands with two repositories: when only one secret is given, it is for both. */
  shareWith(partner: SecretSource): void {
    this.#partner = partner;
    partner.#partner = this;
  }

  /** The secret for an existing repository: asked for once a command. PASSPHRASE_MISSING. */
  async toOpen(location: string): Promise<GivenSecret> {
    this.#used ??= asGivenSecret(
      (await this.#given()) ?? (await this.#ask(`Passphrase for ${location}: `, this.#missing)),
    );
    return this.#used;
  }

  /** The passphrase of a repository that is being made; typed twice. */
  async forInit(location: string): Promise<string> {
    const given = await this.#fromOutside();
    return checkNew(given ?? (await this.#askTwice(`Passphrase for the new repository ${location}`, MISSING_AT_INIT)));
  }

  /** A second passphrase, for `key add` and `key change`: --new-passphrase-file, REPRISE_NEW_PASSPHRASE, a prompt. */
  async another(file: string | undefined): Promise<string> {
    const given =
      file === undefined
        ? this.#options.io.env.REPRISE_NEW_PASSPHRASE || undefined
        : await readSecretFile(file, this.#options.signal);
    return checkNew(given ?? (await this.#askTwice("New passphrase", MISSING_NEW)));
  }

  async #fromOutside(): Promise<string | undefined> {
    this.#prompted = false;
    const { passphraseFile, io, variables, signal } = this.#options;
    if (passphraseFile !== undefined) return await readSecretFile(passphraseFile, signal);
    return await passphraseFromVariables(io.env, signal, variables);
  }

  /** Its own secret, or the partner's. */
  async #given(): Promise<string | undefined> {
    const own = await this.#fromOutside();
    if (own !== undefined || this.#partner === undefined) return own;
    return await this.#partner.#fromOutside();
  }

  get #missing(): MissingSecret {
    const { variables, fileOption } = this.#options;
    if (variables === undefined) return MISSING;
    const hint = `set ${variables}PASSPHRASE or ${variables}PASSPHRASE_FILE, or give ${fileOption ?? "--passphrase-file"} FILE`;
    return { ...MISSING, hint };
  }

  async #askTwice(what: string, missing: MissingSecret): Promise<string> {
    for (;;) {
      const first = await this.#ask(`${what}: `, missing);
      if (first === "") throw emptyPassphrase();
      if ((await this.#ask("The same again: ", missing)) === first) return first;
      this.#options.write("The two differ; try again.\n");
    }
  }

  async #ask(question: string, missing: MissingSecret): Promise<string> {
    const { io, signal, write } = this.#options;
    if (!io.stdin.isTTY) {
      const { message, hint } = missing;
      throw new RepriseError("key", "PASSPHRASE_MISSING", message, { hint });
    }
    this.#prompted = true;
    return await promptHidden(question, { stdin: io.stdin, write, signal });
  }
}

interface MissingSecret {
  message: string;
  hint: string;
}

const WAYS = "set REPRISE_PASSPHRASE or REPRISE_PASSPHRASE_FILE, or give --passphrase-file FILE";
const MISSING: MissingSecret = {
  message: "the repository is encrypted, no passphrase was given, and there is no terminal to ask on",
  hint: `${WAYS}; REPRISE_RECOVERY_KEY opens it as well`,
};
const MISSING_AT_INIT: MissingSecret = {
  message: "a new repository needs a passphrase, none was given, and there is no terminal to ask on",
  hint: `${WAYS}, or say --no-encryption`,
};
const MISSING_NEW: MissingSecret = {
  message: "no new passphrase was given, and there is no terminal to ask on",
  hint: "give --new-passphrase-file FILE or set REPRISE_NEW_PASSPHRASE",
};

function checkNew(passphrase: string): string {
  if (passphrase === "") throw emptyPassphrase();
  if (!looksLikeRecoveryKey(passphrase)) return passphrase;
  throw new RepriseError(
    "usage",
    "PASSPHRASE_UNSUITABLE",
    "this would be taken for a recovery key, not for a passphrase",
    {
      hint: "choose one that does not start with RPRS1-",
    },
  );
}

function emptyPassphrase(): RepriseError {
  return new RepriseError("usage", "PASSPHRASE_EMPTY", "an empty passphrase protects nothing", {
    hint: "choose a passphrase; a repository without one is made with init --no-encryption",
  });
}
