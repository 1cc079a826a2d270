// Which secrets a job gets, under the names that its configuration gives to them. Nothing that changes how programs start can be such a
// name, and nothing that is set already is set anew.

import type { PolicyRepositoryData } from "../service/policyProtocol.js";
import { isSameLocation } from "./location.js";

export interface KeptSecrets {
  /** In any spelling. */
  location: string;
  passphrase: string | undefined;
  keeperKey: string | undefined;
}

const NAME = /^[A-Z][A-Z0-9_]{0,199}$/;
const OF_PROGRAMS =
  /^(?:NODE|LD|DYLD|ELECTRON|VSCODE|GIT|SSH|BASH|PYTHON|PERL|RUBY|JAVA|XDG)_|^(?:PATH|HOME|SHELL|ENV|IFS|TMPDIR|USER)$/;

/** The first repository that names a variable decides. */
export function secretVariables(
  repositories: readonly PolicyRepositoryData[],
  kept: readonly KeptSecrets[],
  present: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { location, passphraseVariable, keeperKeyVariable } of repositories) {
    // the settings may have it in several spellings, and only one of them with a passphrase
    const own = kept.filter((each) => location !== null && isSameLocation(each.location, location));
    const pairs: [string | null, string | undefined][] = [
      [passphraseVariable, own.find(({ passphrase }) => passphrase !== undefined)?.passphrase],
      [keeperKeyVariable, own.find(({ keeperKey }) => keeperKey !== undefined)?.keeperKey],
    ];
    for (const [name, secret] of pairs) {
      if (name === null || secret === undefined || !isFree(name, present)) continue;
      variables[name] ??= secret;
    }
  }
  return variables;
}

function isFree(name: string, present: Readonly<Record<string, string | undefined>>): boolean {
  return NAME.test(name) && !OF_PROGRAMS.test(name) && !present[name];
}
