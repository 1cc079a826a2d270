// What our webviews may load and may say. A message that is not one of these is nothing.

import { Uri, type Webview, type WebviewOptions, type WebviewPanelOptions } from "vscode";
import type { WebviewPage } from "./webviewPage.js";

export type WebviewMessage =
  | { kind: "ready" }
  | { kind: "action"; action: string }
  | { kind: "machine"; machine: string };

const MAX_TEXT = 2_000;

/** Undefined: not a message of ours. */
export function readMessage(given: unknown): WebviewMessage | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const { kind, action, machine } = given as Record<string, unknown>;
  if (kind === "ready") return { kind };
  if (kind === "action" && typeof action === "string" && /^[a-z]{1,20}$/.test(action)) return { kind, action };
  if (kind === "machine" && typeof machine === "string" && machine.length <= MAX_TEXT) return { kind, machine };
  return undefined;
}

export function webviewOptions(extensionUri: Uri): WebviewOptions & WebviewPanelOptions {
  return {
    enableScripts: true,
    enableFindWidget: true,
    // a repository is not read again because its tab was hidden
    retainContextWhenHidden: true,
    localResourceRoots: [Uri.joinPath(extensionUri, "media")],
  };
}

export function resourcesOf(webview: Webview, extensionUri: Uri): WebviewPage["resources"] {
  const of = (name: string) => webview.asWebviewUri(Uri.joinPath(extensionUri, "media", name)).toString();
  return { source: webview.cspSource, style: of("webview.css"), script: of("webview.js") };
}
