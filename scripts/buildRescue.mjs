// Embeds rescue/rescue.mjs and rescue/RESCUE.md as strings, so that init can put them into every repository from a bundle.
// Writes only when something changed.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = `${root}core/repository/rescueFiles.generated.ts`;

const text = [
  "// Made by scripts/buildRescue.mjs from rescue/; do not edit.",
  `export const RESCUE_PROGRAM = ${JSON.stringify(readFileSync(`${root}rescue/rescue.mjs`, "utf8"))};`,
  `export const RESCUE_TEXT = ${JSON.stringify(readFileSync(`${root}rescue/RESCUE.md`, "utf8"))};`,
  "",
].join("\n");
if (!existsSync(target) || readFileSync(target, "utf8") !== text) writeFileSync(target, text);
