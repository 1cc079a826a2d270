// Saves an overview as one HTML file, for somebody who has no editor.

import { env, l10n, Uri, window, workspace } from "vscode";
import { errorText } from "../adapt/errors.js";
import { startFolder } from "../adapt/startFolder.js";
import { withoutLinks } from "../model/harmlessText.js";
import { dateAndTime } from "../model/words.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { OverviewData } from "../service/overviewProtocol.js";
import { inTurns } from "./inTurns.js";
import { overviewSections } from "./overviewContent.js";
import { savedPage } from "./savedPage.js";

export async function saveOverview(
  { name, location }: ConfiguredRepository,
  data: OverviewData,
  style: Uri,
): Promise<void> {
  const day = new Date(data.atMs).toISOString().slice(0, 10);
  const fileName = `overview-${name.replaceAll(/[^\w.-]+/g, "-").slice(0, 60)}-${day}.html`;
  const uri = await window.showSaveDialog({
    title: l10n.t("Save the overview as"),
    defaultUri: Uri.joinPath(startFolder(), fileName),
    filters: { HTML: ["html"] },
  });
  if (uri === undefined) return;
  try {
    const { language: locale } = env;
    const page = savedPage({
      ...{ locale, title: l10n.t("Overview: {0}", name), subtitle: location },
      status: l10n.t("As of {0}", dateAndTime(data.atMs, locale)),
      content: await inTurns(overviewSections(data, { t: l10n.t, locale, isLive: false })),
      style: new TextDecoder().decode(await workspace.fs.readFile(style)),
    });
    await workspace.fs.writeFile(uri, new TextEncoder().encode(page));
  } catch (error) {
    void window.showErrorMessage(withoutLinks(errorText(error)));
    return;
  }
  const open = l10n.t("Open in Browser");
  const chosen = await window.showInformationMessage(l10n.t("The overview was saved as {0}.", uri.fsPath), open);
  if (chosen === open) await env.openExternal(uri);
}
