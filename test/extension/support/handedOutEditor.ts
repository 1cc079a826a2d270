// Imports a file of the extension with an editor that a test hands out, for what cannot be seen from outside of the real one: which
// of its events count, and when something is asked. Each import is of its own.

import { readdirSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inProject } from "../../support/projectRoot.js";

let imports = 0;

class CancellationTokenSource {
  readonly token = { isCancellationRequested: false };
  cancel(): void {
    this.token.isCancellationRequested = true;
  }
  dispose(): void {}
}

/**
 * `path`: below the folder `extension`, as in `policy/policies.js`; `others`: files whose exports are wanted, too. `editor`: what its files use of `vscode`; other names that our
 * sources import are there, and undefined.
 */
export async function importWithEditor<T>(
  path: string,
  editor: Record<string, unknown>,
  ...others: string[]
): Promise<T> {
  const name = `handedOutEditor${++imports}`;
  const given = { CancellationTokenSource, ...editor };
  (globalThis as Record<string, unknown>)[name] = given;
  const names = new Set([...Object.keys(given), ...importedNames()]);
  const source = `export const { ${[...names].join(", ")} } = globalThis.${name};`;
  const vscode = `data:text/javascript,${encodeURIComponent(source)}`;
  const ours = pathToFileURL(inProject("build", "extension")).href;
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier === "vscode") return { url: vscode, shortCircuit: true };
      const resolved = next(specifier, context);
      return resolved.url.startsWith(`${ours}/`) ? { ...resolved, url: `${resolved.url}?${name}` } : resolved;
    },
  });
  try {
    const modules = await Promise.all([path, ...others].map(async (each) => await import(`${ours}/${each}`)));
    return Object.assign({}, ...modules) as T;
  } finally {
    hooks.deregister();
  }
}

function importedNames(): string[] {
  const folder = inProject("extension");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8"));
  const lists = texts.flatMap((text) =>
    Array.from(text.matchAll(/import \{([^}]+)\} from "vscode"/g), ([, list]) => list),
  );
  const names = lists.flatMap((list) => (list ?? "").split(",").map((each) => each.trim()));
  return names.filter((each) => /^\w+$/.test(each));
}
