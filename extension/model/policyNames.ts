// Which files are ours by their names, and which policies depend on which other files. The one list of patterns: the manifest's
// lists and what the editor looks for come from here, and a test compares them.

export const POLICY_FILES = "**/reprise.{yml,yaml}";
export const SPEC_FILES = "**/*.restore-test.{yml,yaml,json}";

export type PolicyKind = "policy" | "spec";

/** By the name alone; undefined: it may still be a spec by what it says. `path` with `/`. */
export function kindOfName(path: string): PolicyKind | undefined {
  if (/(?:^|\/)reprise\.ya?ml$/.test(path)) return "policy";
  return /[^/]\.restore-test\.(?:ya?ml|json)$/.test(path) ? "spec" : undefined;
}

/** Paths that a policy names: what it says changes with them. */
export interface NamedByPolicy {
  files: readonly string[];
  /** Whose lists of files were read. */
  folders: readonly string[];
}

/** More than anybody names by hand; what is beyond is read again with the policy only. */
export const MAX_NAMED = 500;

export class NamedFiles {
  readonly #byPolicy = new Map<string, NamedByPolicy>();

  /** True: it names others than before. */
  set(policy: string, { files, folders }: NamedByPolicy): boolean {
    const named = { files: files.slice(0, MAX_NAMED), folders: folders.slice(0, MAX_NAMED) };
    const before = JSON.stringify(this.#byPolicy.get(policy));
    this.#byPolicy.set(policy, named);
    return before !== JSON.stringify(named);
  }

  delete(policy: string): void {
    this.#byPolicy.delete(policy);
  }

  policiesThatName(path: string): string[] {
    const isBelow = (folder: string) => path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
    return [...this.#byPolicy]
      .filter(([, { files, folders }]) => files.includes(path) || folders.some(isBelow))
      .map(([policy]) => policy);
  }
}
