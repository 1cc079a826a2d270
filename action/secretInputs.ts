// Secrets that somebody wrote where none belong: as an input that does not exist, or into a location. They are hidden before
// anything is printed; that they are refused is another file's matter.

import { type GivenInputs, isSecretName } from "./inputReader.js";
import type { Runner } from "./runner.js";

/** `user:secret@` of a URL. */
const USER_INFO = /\/\/[^/@\s]*?:([^/@\s]+)@/g;
/** `?secret=…`, `&token=…`. */
const PARAMETER = /[?&;][\w-]*(?:secret|token|password|signature|key)[\w-]*=([^&;\s]+)/gi;

export function hideGivenSecrets(runner: Runner, given: GivenInputs): void {
  for (const name of given.unknown) {
    if (isSecretName(name)) runner.hide(inputValue(runner, name));
  }
  for (const value of given.values.values()) {
    for (const pattern of [USER_INFO, PARAMETER]) {
      for (const match of value.matchAll(pattern)) runner.hide(match[1] as string);
    }
  }
}

/** Names of variables are as they were written, in capitals or not. */
function inputValue(runner: Runner, name: string): string {
  const found = Object.entries(runner.env).find(([variable]) => variable.toLowerCase() === `input_${name}`);
  return found?.[1] ?? "";
}
