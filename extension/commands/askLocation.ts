// Asks where a repository is. What was typed stays when it has to be asked for again, and stands beside what is wrong with it.

import { l10n, window } from "vscode";
import { withoutLinks } from "../model/harmlessText.js";
import { isFullLocation } from "../model/location.js";

export interface LocationQuestion {
  title: string;
  prompt: string;
  /** What was typed before. */
  typed?: string;
  /** Why that did not do: in place of the prompt. */
  problem?: string | undefined;
  /** What else is wrong with a location while it is typed. */
  check?: (location: string) => string | undefined;
}

export async function askLocation(question: LocationQuestion): Promise<string | undefined> {
  const { title, prompt, typed = "", problem, check } = question;
  const answer = await window.showInputBox({
    title,
    prompt: withoutLinks(problem ?? prompt),
    value: typed,
    valueSelection: [typed.length, typed.length],
    placeHolder: "/srv/backups/reprise",
    ignoreFocusOut: true,
    validateInput: (text) => locationProblem(text.trim()) ?? check?.(text.trim()),
  });
  return answer?.trim();
}

function locationProblem(location: string): string | undefined {
  if (location === "") return l10n.t("A repository has a location");
  if (isFullLocation(location)) return undefined;
  return l10n.t("A folder is given by its full path, or with ~ for the home folder: {0} could be anywhere", location);
}
