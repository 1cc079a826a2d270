// axe inside a page: what somebody would stumble over who does not see it, or has no mouse. The one file that knows axe-core.

import axe from "axe-core";
import type { Locator } from "playwright-core";

/** WCAG 2.0 and 2.1, levels A and AA, and what axe's makers advise besides. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];

interface Finding {
  id: string;
  impact: string | null;
  nodes: readonly { html: string; failureSummary?: string }[];
}

/**
 * One line for each element that breaks a rule; none is good. `root`: the document's element. A document that may run no scripts gives
 * axe no timers either: it is looked at as a copy, with the styles and the theme that the editor gave it.
 */
export async function axeFindings(root: Locator, { runsScripts = true } = {}): Promise<string[]> {
  if (runsScripts) return await findingsIn(root);
  const copy = await root.page().context().newPage();
  try {
    const source = String(await root.evaluate("document.documentElement.outerHTML"));
    await copy.setContent(`<!doctype html>${source.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "")}`);
    return await findingsIn(copy.locator("html"));
  } finally {
    await copy.close();
  }
}

async function findingsIn(root: Locator): Promise<string[]> {
  await root.evaluate(axe.source);
  // without preloading: it would ask for our style sheet, which the page's policy does not let it
  const options = JSON.stringify({ runOnly: { type: "tag", values: RULES }, preload: false });
  const { violations, passes } = (await root.evaluate(
    `axe.run(document, ${options}).then(({ violations, passes }) => ({ violations, passes: passes.length }))`,
  )) as { violations: readonly Finding[]; passes: number };
  if (passes === 0) return ["axe has checked nothing"];
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${impact} ${id}: ${html.slice(0, 160)} (${failureSummary})`),
  );
}
