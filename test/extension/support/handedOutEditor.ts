// Imports a file of the extension with an editor that a test hands out, for what cannot be seen from outside of the real one: which
// of its events count, and when something is asked. Each import is of its own.

import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { inProject } from "../../support/projectRoot.js";

let imports = 0;

/** `path`: below the folder `extension`, as in `policy/policies.js`. `editor`: the names that its files import from `vscode`. */
export async function importWithEditor<T>(path: string, editor: Record<string, unknown>): Promise<T> {
  const name = `handedOutEditor${++imports}`;
  (globalThis as Record<string, unknown>)[name] = editor;
  const source = `export const { ${Object.keys(editor).join(", ")} } = globalThis.${name};`;
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
    return (await import(`${ours}/${path}`)) as T;
  } finally {
    hooks.deregister();
  }
}
